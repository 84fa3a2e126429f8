"""A handover shows each datum once, in order, however two connections race."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import trio
from hypothesis import given
from hypothesis import strategies as st

from actors.fan_out import FanOut
from actors.feed_connection import FeedConnection, FeedSettings, Surroundings
from actors.feed_handover import Handover
from actors.feed_silence import SilenceLimits
from actors.mailbox import Mailbox
from actors.messages import (
    BookDelta,
    BookSnapshot,
    Candles,
    Channel,
    Side,
    StreamMessage,
    Subscription,
    Traded,
    Trades,
    Wanted,
)
from tests.actors.scripted_venue import Middle, ScriptedMarket
from tests.words import SYMBOL, candle

TRADES = Subscription(SYMBOL, Channel.TRADES)
BOOK = Subscription(SYMBOL, Channel.BOOK)
CANDLES = Subscription(SYMBOL, Channel.CANDLES, "1m")
ONE = Decimal(1)
SHIFTS = st.integers(-4, 8)  # how far the new one is ahead when it is heard first
RACES = st.lists(st.booleans(), min_size=40, max_size=120)  # whose turn it is


def traded(number: int) -> Traded:
    return Traded("binance", SYMBOL, number, ONE, ONE, Side.BUY, number, 0.0)


def changed(number: int) -> BookDelta:
    level = (Decimal(number), ONE)
    return BookDelta("binance", SYMBOL, number, number, (level,), (), 0)


@attrs.define(eq=False)
class Race:
    """Two connections tell the same; `new` begins at a later place."""

    subscription: Subscription
    reader: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("dawn"))
    fan_out: FanOut = attrs.field(init=False)
    handover: Handover = attrs.field(init=False)
    old: FeedConnection = attrs.field(init=False)
    new: FeedConnection = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.fan_out = FanOut("binance", {"dawn": self.reader})
        self.fan_out.want(Wanted("dawn", frozenset({self.subscription})))
        self.old, self.new = self._connection(1), self._connection(2)
        self.old.carried = {self.subscription}

    def _connection(self, number: int) -> FeedConnection:
        around = Surroundings(
            Mailbox[Any]("feed"),
            ScriptedMarket(),
            Mailbox[Any]("journal"),
            self.fan_out,
            FeedSettings("binance"),
            Middle(),
        )
        return FeedConnection(
            number,
            around,
            trio.lowlevel.checkpoint,
            lambda: False,
            lambda _connection, _error: False,
            self.fan_out.deliver,
        )

    def run(
        self, told: list[StreamMessage], turns: list[bool], begins: int, shift: int
    ) -> None:
        """Let both tell `told`, in turns, then finish; the new one goes on alone."""
        moves = {self.new: {self.subscription}}
        self.handover = Handover(self.fan_out, self.old, moves, SilenceLimits())
        self.handover.begin()
        old_at, new_at = begins, max(0, begins + shift)
        for is_new in turns:
            if is_new and new_at < len(told):
                self.new.deliver(told[new_at], 0.0)
                new_at += 1
            elif old_at < len(told):
                self.old.deliver(told[old_at], 0.0)
                old_at += 1
        for message in told[old_at:]:
            self.old.deliver(message, 0.0)
        self.handover.finish()
        for message in told[new_at:]:
            self.new.deliver(message, 0.0)

    def taken(self) -> list[Any]:
        messages: list[Any] = []
        while (message := self.reader.receive_nowait()) is not None:
            messages.append(message)
        return messages


async def _trades(turns: list[bool], begins: int, shift: int) -> list[int]:
    race = Race(TRADES)
    told: list[StreamMessage] = [traded(number) for number in range(1, 40)]
    for message in told[:begins]:
        race.old.deliver(message, 0.0)
    race.run(told, turns, begins, shift)
    await trio.lowlevel.checkpoint()
    return [
        trade.trade_id
        for message in race.taken()
        if isinstance(message, Trades)
        for trade in message.trades
    ]


@given(RACES, st.integers(1, 20), SHIFTS)
def test_every_trade_is_shown_once_and_in_order(
    turns: list[bool], begins: int, shift: int
) -> None:
    assert trio.run(_trades, turns, begins, shift) == list(range(1, 40))


async def _book(
    turns: list[bool], begins: int, shift: int
) -> tuple[int, int, set[Subscription]]:
    race = Race(BOOK)
    race.fan_out.load_book(BookSnapshot("binance", SYMBOL, 0, (), (), 0.0), 0.0)
    race.fan_out.to_load.clear()
    told: list[StreamMessage] = [changed(number) for number in range(1, 40)]
    for message in told[:begins]:
        race.old.deliver(message, 0.0)
    race.run(told, turns, begins, shift)
    await trio.lowlevel.checkpoint()
    book = race.fan_out.books[SYMBOL]
    return len(book.bids.prices), book.gaps, race.fan_out.to_load


@given(RACES, st.integers(1, 20), SHIFTS)
def test_a_book_has_every_change_and_no_gap(
    turns: list[bool], begins: int, shift: int
) -> None:
    assert trio.run(_book, turns, begins, shift) == (39, 0, set())


async def _candles(
    turns: list[bool], begins: int, shift: int
) -> tuple[list[int], set[Subscription]]:
    race = Race(CANDLES)
    race.fan_out.load_candles(CANDLES, [candle(0, 1)])
    race.fan_out.to_load.clear()
    told: list[StreamMessage] = [
        candle(number, step, is_closed=step == 2)
        for number in range(1, 14)
        for step in range(3)
    ]
    for message in told[:begins]:
        race.old.deliver(message, 0.0)
    race.run(told, turns, begins, shift)
    await trio.lowlevel.checkpoint()
    closed = [
        each.open_ms // 60_000
        for message in race.taken()
        if isinstance(message, Candles)
        for each in message.closed
    ]
    return closed, race.fan_out.to_load


@given(RACES, st.integers(1, 20), SHIFTS)
def test_every_candle_is_closed_once_and_none_is_missed(
    turns: list[bool], begins: int, shift: int
) -> None:
    assert trio.run(_candles, turns, begins, shift) == (list(range(1, 14)), set())


async def _streamed_book() -> tuple[int, int]:
    race = Race(BOOK)
    race.fan_out.terms = attrs.evolve(race.fan_out.terms, is_book_streamed=True)
    race.old.deliver(BookSnapshot("kraken", SYMBOL, 100, ((ONE, ONE),), (), 0.0), 0.0)
    moves = {race.new: {BOOK}}
    handover = Handover(race.fan_out, race.old, moves, SilenceLimits())
    handover.begin()
    stray = attrs.evolve(changed(101), bids=((Decimal(7), ONE),))
    race.new.deliver(stray, 0.0)  # of a numbering of its own: not yet begun
    race.old.deliver(changed(101), 0.0)
    assert race.fan_out.books[SYMBOL].bids.prices == [ONE, Decimal(101)]
    race.new.deliver(BookSnapshot("kraken", SYMBOL, 1, ((ONE, ONE),), (), 0.0), 0.0)
    race.old.deliver(changed(102), 0.0)
    race.new.deliver(changed(2), 0.0)
    handover.finish()
    await trio.lowlevel.checkpoint()
    book = race.fan_out.books[SYMBOL]
    return book.last_id, book.gaps


def test_a_streamed_book_is_taken_over_with_the_new_connections_snapshot() -> None:
    """Each connection numbers its own changes: the two must never be mixed."""
    assert trio.run(_streamed_book) == (2, 0)
