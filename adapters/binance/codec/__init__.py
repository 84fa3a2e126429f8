"""Binance's wire in our words, both ways; no Trio, no I/O, no clock.

figures.py checks numbers; market.py, rest.py, instruments.py, orders.py, replace.py,
private.py and envelope.py read; *_writer.py and the encode_ functions write what those
read.
"""
