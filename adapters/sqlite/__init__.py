"""The ledger: one SQLite file, one writer, any number of readers that block nobody."""
