"""Speak to Kraken spot: WebSocket v2 and REST."""

from __future__ import annotations

from adapters.endpoints import Endpoints, ForeignHost
from adapters.kraken.nonces import NonceFile
from adapters.kraken.open import Kraken, open_kraken

__all__ = ["Endpoints", "ForeignHost", "Kraken", "NonceFile", "open_kraken"]
