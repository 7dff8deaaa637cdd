"""The protocol document: model, load, check, coverage of the record's sentences."""
