"""What happened, append-only: envelope, history, store, hash chain, keys and seal; it knows no trial."""
