"""What a strategy sees, and what a strategy is. Pure.

A strategy is synchronous and decides; it never waits, reads a clock or keeps prices. It is
built anew in each life of its bot, so whatever it remembers is a memo of what it was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Protocol

import attrs

from actors.messages import BookSnapshot, Candle, Pair, Signal, Ticker
from actors.pure.trade_flow import Flow


class Cause(Enum):
    """What asked for an evaluation."""

    TICK = "tick"  # every new price
    CANDLE = "candle"  # a candle was closed
    TIMER = "timer"  # `evaluate_s` went by


@attrs.frozen
class Held:
    """The bot's open position."""

    entry: Decimal  # quote per base
    base: Decimal
    unrealized: Decimal  # quote, net of the fees of entry


@attrs.frozen
class OtherMarket:
    """A market that the bot only reads. Stale prices are not shown."""

    ticker: Ticker | None = None  # None: no price, or none that may be trusted
    window: tuple[Candle, ...] = ()  # closed candles, oldest first
    running: Candle | None = None
    book: BookSnapshot | None = None  # with `book = true`, if fresh


NO_OTHERS: Mapping[Pair, OtherMarket] = MappingProxyType({})


@attrs.frozen
class Chart:
    """The candles of another timeframe of the same market."""

    window: tuple[Candle, ...] = ()  # closed, oldest first
    running: Candle | None = None


NO_CHARTS: Mapping[str, Chart] = MappingProxyType({})
NO_FLOWS: Mapping[int, Flow] = MappingProxyType({})


@attrs.frozen
class MarketView:
    """One moment of one market. Nothing in it changes."""

    symbol: str
    ticker: Ticker
    window: tuple[Candle, ...]  # closed candles, oldest first; shared by all readers
    running: Candle | None  # the candle still open, if one was shown
    position: Held | None
    now_ms: int  # the exchange's time of the newest price
    cause: Cause
    others: Mapping[Pair, OtherMarket] = NO_OTHERS  # all that `reads` names
    charts: Mapping[str, Chart] = NO_CHARTS  # all that `timeframes` names
    flows: Mapping[int, Flow] = NO_FLOWS  # by the seconds that `flow_s` names
    book: BookSnapshot | None = None  # the best levels, with `book = true` and if fresh

    def other(self, name: str) -> OtherMarket:
        """Return what is seen of a market that `reads` names as "kraken:BTC/USD".

        Raises:
          KeyError: the bot does not read it.
        """
        return self.others[Pair(*name.split(":", 1))]


class Strategy(Protocol):
    """Judge a market. Raising ends this life of the bot; its supervisor starts another."""

    @property
    def candles_min(self) -> int:
        """Return how many closed candles it needs before it can judge."""
        ...

    def evaluate(self, view: MarketView) -> Signal:
        """Return BUY, SELL or HOLD, with reasons."""
        ...
