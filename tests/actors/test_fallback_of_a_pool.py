"""One connection of several is lost: REST stands in for its symbols, and for no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.demand import Demand
from actors.fallback import FallbackSettings, run_fallback
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.mailbox import Mailbox
from actors.messages import (
    Channel,
    FallbackBegun,
    FallbackEnded,
    Source,
    StreamTerms,
    Subscription,
    Ticker,
    Wanted,
)
from actors.ports import ConnectionLost
from tests.actors.ledger_room import Room, open_room, settle, taken
from tests.actors.scripted_venue import Middle, ScriptedMarket
from tests.words import SYMBOL, ticker

ETH = "ETH/USDT"
TICKERS = {symbol: Subscription(symbol, Channel.TICKER) for symbol in (SYMBOL, ETH)}


@attrs.define(eq=False)
class House:
    """A feed with room for one subscription on a connection, and its fallback."""

    room: Room
    market: ScriptedMarket = attrs.Factory(
        lambda: ScriptedMarket(terms=StreamTerms(subscriptions_max=1))
    )
    readers: dict[str, Mailbox[Any]] = attrs.Factory(
        lambda: {name: Mailbox[Any](name) for name in ("dawn", "dusk")}
    )

    async def start(self) -> None:
        feed, fallback = Mailbox[Any]("feed"), Mailbox[Any]("fallback")
        demand = Demand("binance", [feed, fallback])
        run = partial(
            run_feed,
            feed,
            self.market,
            self.room.journal,
            FanOut("binance", self.readers, fallback, self.market.terms),
            demand,
            settings=FeedSettings("binance"),
            random=Middle(),
        )
        await self.room.start(feed, run)
        stand_in = partial(
            run_fallback,
            fallback,
            self.market,
            self.room.journal,
            self.readers,
            demand,
            settings=FallbackSettings("binance", after_s=5.0, poll_s=2.0),
        )
        await self.room.start(fallback, stand_in)
        demand.want(Wanted("dawn", frozenset({TICKERS[SYMBOL]})))
        demand.want(Wanted("dusk", frozenset({TICKERS[ETH]})))
        await self.live(3)

    async def live(self, seconds: int) -> None:
        """Let every open connection tell its price each second, and REST the same."""
        for _ in range(seconds):
            number = int(trio.current_time() * 1000)
            for symbol, subscription in TICKERS.items():
                told = ticker(100, trio.current_time(), symbol=symbol, exchange_ms=number)
                self.market.tickers[symbol] = told
                for stream in self.market.open_streams():
                    if subscription in stream.subscribed:
                        stream.tell(told)
            await trio.sleep(1)
            await settle()

    def sources(self, reader: str) -> set[Source]:
        prices = [each for each in taken(self.readers[reader]) if isinstance(each, Ticker)]
        return {each.source for each in prices}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_room(tmp_path) as room:
        made = House(room)
        await made.start()
        yield made


async def test_only_the_symbols_of_a_lost_connection_have_rest_prices(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.refusals = [ConnectionLost("refused")] * 3
    house.market.carrying(TICKERS[ETH]).fail(ConnectionLost("away"))
    await house.live(7)
    taken(house.readers["dawn"])
    taken(house.readers["dusk"])
    for _ in range(3):
        await house.live(1)
        assert house.sources("dawn") == {Source.STREAM}
    await house.live(2)
    begun = await house.room.recorded(FallbackBegun)
    assert [each.symbol for each in begun] == [ETH]
    await house.live(20)
    (ended,) = await house.room.recorded(FallbackEnded)
    assert (ended.symbol, ended.polls >= 2) == (ETH, True)
    house.sources("dusk")
    await house.live(2)
    assert house.sources("dusk") == {Source.STREAM}


async def test_a_silent_symbol_has_rest_prices_while_the_other_connection_tells_its_own(
    house: House, autojump_clock: MockClock
) -> None:
    """R-19, R-21: the connection stands, and says nothing of its only symbol."""
    silent = house.market.carrying(TICKERS[ETH])
    other = house.market.carrying(TICKERS[SYMBOL])
    for _ in range(8):
        other.tell(ticker(100, trio.current_time()))
        await trio.sleep(1)
    assert silent.is_open
    assert Source.REST in house.sources("dusk")
    assert house.sources("dawn") == {Source.STREAM}
