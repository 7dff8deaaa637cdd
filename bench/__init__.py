"""The speed table: how long the work of a trial takes on this machine, beside what was promised. Never a test."""
