"""The tables of accounts and drafts, version by version."""
