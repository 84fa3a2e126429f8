"""What a strategy sees, and what a strategy is. Pure.

A strategy is synchronous and decides; it never waits, reads a clock or keeps prices. It is
built anew in each life of its bot, so whatever it remembers is a memo of what it was shown.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Protocol

import attrs

from actors.messages import Candle, Signal, Ticker


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
class MarketView:
    """One moment of one market. Nothing in it changes."""

    symbol: str
    ticker: Ticker
    window: tuple[Candle, ...]  # closed candles, oldest first; shared by all readers
    running: Candle | None  # the candle still open, if one was shown
    position: Held | None
    now_ms: int  # the exchange's time of the newest price
    cause: Cause


class Strategy(Protocol):
    """Judge a market. Raising ends this life of the bot; its supervisor starts another."""

    @property
    def candles_min(self) -> int:
        """Return how many closed candles it needs before it can judge."""
        ...

    def evaluate(self, view: MarketView) -> Signal:
        """Return BUY, SELL or HOLD, with reasons."""
        ...
