"""Registry records: readers, a record to a draft protocol, a library of records and related trials."""
