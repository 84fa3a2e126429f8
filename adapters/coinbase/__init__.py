"""Coinbase: the Exchange's market data, and trading by either of its two trading APIs."""
