"""Printed sheets of the trial: pure functions, rows out."""
