"""One market subscription inside a feed: who reads it, how fresh it is, how news merge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import attrs

from actors.mailbox import Mailbox
from actors.messages import (
    BookSnapshot,
    BookTop,
    Candles,
    Channel,
    FeedState,
    Link,
    StreamTerms,
    Subscription,
    Ticker,
    Traded,
    Trades,
)
from actors.pure.candle_builder import CandleBuilder

Reader = Mailbox[Any]


@attrs.define(eq=False)
class Route:
    """One subscription, who reads it, and how fresh it is.

    One without readers feeds others: the trades or candles that theirs are built from.
    """

    subscription: Subscription
    key: str
    readers: dict[str, Reader] = attrs.Factory(dict[str, Reader])
    mailboxes: list[Reader] = attrs.Factory(list[Reader])
    data_s: float | None = None  # last datum of this connection
    received: int = 0
    losses: int = 0  # of its connection
    newest: Any = None  # what a reader that joins late is shown at once
    newest_id: int = 0  # of its trades
    state: FeedState | None = None  # of the connection that carries it
    source: Route | None = None  # what builds it; None: the venue's stream tells it
    feeds: list[Route] = attrs.Factory(list["Route"])  # candles that are built from it
    builder: CandleBuilder | None = None  # of the candles that a source builds


def downstream(routes: Iterable[Route]) -> Iterator[Route]:
    """Return these, and whatever is built from them."""
    for route in routes:
        yield route
        yield from downstream(route.feeds)


def upstream(route: Route) -> Route:
    """Return the route that the venue's stream tells, which this one comes from."""
    while route.source is not None:
        route = route.source
    return route


def open_route(exchange: str, subscription: Subscription, state: FeedState | None) -> Route:
    """Return the route of a subscription that somebody wants first."""
    words = (subscription.channel.value, exchange, subscription.symbol)
    key = ":".join(filter(None, (*words, subscription.timeframe)))
    return Route(subscription, key, state=state)


def is_begun_over_rest(subscription: Subscription, terms: StreamTerms) -> bool:
    """Tell whether a REST answer must begin what the stream goes on with."""
    if subscription.channel is Channel.BOOK:
        return not terms.is_book_streamed
    return subscription.channel is Channel.CANDLES


_WORST = (Link.GAP, Link.CONNECTING, Link.RESUMED)


def worst_state(routes: Collection[Route]) -> FeedState | None:
    """Return what a reader of these is told: the worst, and which symbols it is about."""
    states = [route.state for route in routes if route.state is not None]
    if not states:
        return None
    worst = min(states, key=lambda state: (_WORST.index(state.link), state.since_s))
    if worst.link is Link.RESUMED:
        return max(states, key=lambda state: state.since_s)
    concerned = [
        route
        for route in routes
        if route.state is not None and route.state.link is not Link.RESUMED
    ]
    if len(concerned) == len(routes):
        return worst
    symbols = {route.subscription.symbol for route in concerned}
    return attrs.evolve(worst, symbols=tuple(sorted(symbols)))


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
