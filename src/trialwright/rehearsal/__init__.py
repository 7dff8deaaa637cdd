"""Virtual participants and sites: seed, commands, events."""
