"""The venues that the simulator can be: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.simulator.binance_venue import BINANCE
from adapters.simulator.coinbase_venue import COINBASE
from adapters.simulator.config import DialectName
from adapters.simulator.dialect import Venue
from adapters.simulator.kraken_venue import KRAKEN

VENUES: Final[Mapping[DialectName, Venue]] = {
    "binance": BINANCE,
    "coinbase": COINBASE,
    "kraken": KRAKEN,
}
