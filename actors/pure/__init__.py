"""The room that decides: no Trio, no I/O, no clock, no randomness."""
