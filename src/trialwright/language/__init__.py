"""The protocol's expression language: nodes, parse, check, evaluate."""
