"""Binance spot: its wire, both ways, and the connections that speak it."""
