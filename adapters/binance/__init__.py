"""Binance spot: its wire, both ways, and the connections that speak it."""

from __future__ import annotations

from adapters.binance.open import Binance, open_binance
from adapters.endpoints import Endpoints, ForeignHost

__all__ = ["Binance", "Endpoints", "ForeignHost", "open_binance"]
