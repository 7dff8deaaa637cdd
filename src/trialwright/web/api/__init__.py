"""The programming interface: the gate of the pages, with a token in place of a session."""
