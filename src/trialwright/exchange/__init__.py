"""Formats of the world outside: one module for each, into plain rows or out of them."""
