"""The page reader: one for every layout, built on a lexicon of headings and the shapes of values."""
