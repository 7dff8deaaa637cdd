"""A ledger of each release, never edited: what was written once is read for ever."""
