"""Coinbase's wire in our words; no Trio, no I/O, no clock.

times.py and feed_frames.py hold the shapes; feed.py reads the public feed, rest.py and
products.py the public bodies, exchange_*.py what a key with a passphrase is told, and
advanced_*.py what Advanced Trade tells.
"""
