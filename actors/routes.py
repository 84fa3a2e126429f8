"""One market subscription inside a feed: who reads it, how fresh it is, how news merge."""

from __future__ import annotations

from typing import Any

import attrs

from actors.mailbox import Mailbox
from actors.messages import (
    BookSnapshot,
    BookTop,
    Candles,
    Channel,
    Subscription,
    Ticker,
    Traded,
    Trades,
)

Reader = Mailbox[Any]


@attrs.define(eq=False)
class Route:
    """One subscription, who reads it, and how fresh it is."""

    subscription: Subscription
    key: str
    readers: dict[str, Reader] = attrs.Factory(dict[str, Reader])
    mailboxes: list[Reader] = attrs.Factory(list[Reader])
    data_s: float | None = None  # last datum of this connection
    received: int = 0
    newest: Any = None  # what a reader that joins late is shown at once


KINDS: dict[Channel, type] = {
    Channel.TICKER: Ticker,
    Channel.BOOK_TOP: BookTop,
    Channel.TRADES: Traded,
    Channel.BOOK: BookSnapshot,
}


def merge_trades(older: Trades, newer: Trades) -> Trades:
    """Return trades that were not taken yet, with the newer ones behind them."""
    older.trades.extend(newer.trades)
    return older


def merge_candles(older: Candles, newer: Candles) -> Candles:
    """Return the newer window with every closed candle that was not taken yet."""
    if not older.closed:
        return newer
    return attrs.evolve(newer, closed=(*older.closed, *newer.closed))
