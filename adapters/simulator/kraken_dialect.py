"""Kraken as its clients know it, over one exchange.

Nothing here comes by the clock but what ends by it: tickers come with trades or with a
better price, books with every change, candles with trades.
"""

from __future__ import annotations

import trio

from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Connection
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_faults import LOCKOUT, TOO_FAST, Refused
from adapters.simulator.kraken_keys import Keys
from adapters.simulator.kraken_publisher import Publisher
from adapters.simulator.kraken_teller import Teller

BEATS: int = 10  # of 100 ms: what ends by the clock does so to the second


class KrakenDialect:
    """The venue: its order desk, its keys, and who hears what happened."""

    def __init__(self, exchange: Exchange) -> None:
        limits = exchange.config.kraken_limits
        self.exchange = exchange
        self.desk = Desk(exchange, limits)
        self.keys = Keys(exchange, limits.token_s)
        self.publisher = Publisher(exchange, self.desk.names)
        self.teller = Teller(self.desk)
        self.hurried = trio.Event()  # never set: no channel comes more often

    def refuse_by_fault(self, connection: Connection, address: str) -> None:
        """Refuse anything while the script says that the venue is limiting."""
        exchange = self.exchange
        exchange.limits.arrive(address, exchange.now_ms())
        for kind, text in (("rate_limit", TOO_FAST), ("ban", LOCKOUT)):
            fault = exchange.faults.strike(kind, connection)  # pyright: ignore[reportArgumentType] -- both are kinds
            if fault is not None:
                if kind == "ban":  # of the other one the venue tells no end
                    until_ms = exchange.now_ms() + int(fault.delay_s * 1000)
                    exchange.limits.forbid(address, until_ms, exchange.now_ms())
                raise Refused(text)

    def flush(self) -> None:
        """Tell the clients whatever has happened since the last call."""
        news = self.exchange.news()
        self.publisher.tell(news)
        self.teller.tell(news)

    def step(self, dt_s: float) -> None:
        self.exchange.step(dt_s)
        self.flush()

    def beats_until_due(self, number: int) -> int:
        return BEATS - number % BEATS

    def beat(self, now_ms: int, number: int) -> None:
        del number
        self.exchange.roll(now_ms)
        self.desk.beat(now_ms)
        self.flush()
