"""Coinbase: the Exchange's market data, and trading by either of its two trading APIs."""

from __future__ import annotations

from adapters.coinbase.open import Coinbase, open_coinbase

__all__ = ["Coinbase", "open_coinbase"]
