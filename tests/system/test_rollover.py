"""Connections are replaced for their age, over real sockets: no gap, nothing told twice."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, cast

import attrs
import trio

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.mailbox import Mailbox
from actors.messages import (
    Candles,
    Channel,
    ConnectionReplaced,
    ExchangeDisconnected,
    FeedState,
    Link,
    StreamTerms,
    Subscription,
    Ticker,
    Traded,
    Trades,
    Wanted,
)
from actors.ports import Market
from adapters.binance.open import open_binance
from adapters.clock import SystemClock
from adapters.coinbase import open_coinbase
from adapters.endpoints import Endpoints
from adapters.kraken.open import open_kraken
from adapters.simulator.config import DialectName, SimulatorConfig
from adapters.simulator.server import Simulator
from tests.actors.ledger_room import Room, open_room
from tests.actors.scripted_venue import Middle
from tests.words import SYMBOL

AGE_S = 6.0
SECONDS = 20.0
OPEN = {"binance": open_binance, "coinbase": open_coinbase, "kraken": open_kraken}
WANTED = frozenset(
    Subscription(SYMBOL, channel, "1m" if channel is Channel.CANDLES else "")
    for channel in (Channel.TICKER, Channel.TRADES, Channel.CANDLES, Channel.BOOK)
)


class Aged:
    """A venue's market side with connections that do not grow old."""

    def __init__(self, market: Market) -> None:
        self._market = market

    @property
    def terms(self) -> StreamTerms:
        return attrs.evolve(self._market.terms, age_s_max=AGE_S)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)


@attrs.define(eq=False)
class Told:
    """What one reader was sent, in order."""

    trades: list[Traded] = attrs.Factory(list[Traded])
    tickers: list[int] = attrs.Factory(list[int])
    closed: list[int] = attrs.Factory(list[int])
    links: list[Link] = attrs.Factory(list[Link])

    async def listen(self, mailbox: Mailbox[Any]) -> None:
        while True:
            match await mailbox.receive():
                case Trades(trades=trades):
                    self.trades += trades
                case Ticker(exchange_ms=told_ms):
                    self.tickers.append(told_ms)
                case Candles(closed=closed):
                    self.closed += [each.open_ms for each in closed]
                case FeedState(link=link):
                    self.links.append(link)
                case _:
                    pass


async def start(
    exchange: str, opened: AsyncExitStack, nursery: trio.Nursery, room: Room
) -> tuple[Told, FanOut]:
    """Run one feed on a simulated exchange of its own."""
    config = SimulatorConfig(dialect=cast("DialectName", exchange))
    simulator = Simulator(config)
    await nursery.start(simulator.run)
    where = simulator.endpoints
    endpoints = Endpoints(where.url, where.ws_api_url, where.rest_url, where.rest_url)
    venue = await opened.enter_async_context(
        OPEN[exchange](endpoints, clock=SystemClock(), allow_foreign_host=True)
    )
    market = cast("Market", Aged(venue.market))
    mailbox, reader = Mailbox[Any](f"feed:{exchange}"), Mailbox[Any]("dawn")
    demand = Demand(exchange, [mailbox])
    fan_out = FanOut(exchange, {"dawn": reader}, None, market.terms)
    run = partial(
        run_feed,
        mailbox,
        market,
        room.journal,
        fan_out,
        demand,
        settings=FeedSettings(exchange),
        random=Middle(),
    )
    await room.start(mailbox, run)
    demand.want(Wanted("dawn", WANTED))
    told = Told()
    nursery.start_soon(told.listen, reader)
    return told, fan_out


async def test_no_exchange_shows_that_its_connection_was_replaced(
    nursery: trio.Nursery, tmp_path: Path
) -> None:
    async with AsyncExitStack() as opened, open_room(tmp_path) as room:
        runs = {each: await start(each, opened, nursery, room) for each in OPEN}
        await trio.sleep(SECONDS)
        replaced = await room.recorded(ConnectionReplaced)
        lost = await room.recorded(ExchangeDisconnected)
        for exchange, (told, fan_out) in runs.items():
            numbers = [each.trade_id for each in told.trades]
            assert told.links[-1] is Link.RESUMED, exchange
            assert Link.GAP not in told.links, exchange
            assert numbers == list(range(numbers[0], numbers[-1] + 1)), exchange
            assert told.tickers == sorted(told.tickers), exchange
            assert told.closed == sorted(set(told.closed)), exchange
            assert fan_out.books[SYMBOL].is_synced, exchange
            assert fan_out.books[SYMBOL].gaps == 0, exchange
        assert lost == []
        count = Counter(each.exchange for each in replaced)
        assert count.keys() == OPEN.keys(), count
        nursery.cancel_scope.cancel()
