"""The room that waits: one file for each kind of supervised task."""
