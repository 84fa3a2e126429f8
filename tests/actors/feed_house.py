"""A feed with two readers, a scripted market and a real journal."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.mailbox import Mailbox
from actors.messages import (
    Candles,
    Channel,
    FeedState,
    Link,
    Subscription,
    Wanted,
)
from actors.pure.bot_desk import BotDesk
from tests.actors.ledger_room import Room, open_room, settle
from tests.actors.scripted_venue import Middle, ScriptedMarket
from tests.words import SYMBOL, ticker

ETH = "ETH/USDT"
TICKER = Subscription(SYMBOL, Channel.TICKER)
ETH_TICKER = Subscription(ETH, Channel.TICKER)
CANDLES = Subscription(SYMBOL, Channel.CANDLES, "1m")
BOOK = Subscription(SYMBOL, Channel.BOOK)
TRADES = Subscription(SYMBOL, Channel.TRADES)


@attrs.define(eq=False)
class House:
    room: Room
    market: ScriptedMarket
    mailbox: Mailbox[Any]
    demand: Demand
    readers: dict[str, Mailbox[Any]]
    fan_outs: list[FanOut] = attrs.Factory(list[FanOut])
    states: list[FeedState] = attrs.Factory(list[FeedState])
    seen: list[Any] = attrs.Factory(list[Any])

    def want(self, reader: str, *subscriptions: Subscription) -> None:
        self.demand.want(Wanted(reader, frozenset(subscriptions)))

    async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
        self, *, task_status: trio.TaskStatus[None]
    ) -> None:
        """Live once, as the stage would have it: a fan-out for each life."""
        self.fan_outs.append(FanOut("binance", self.readers, terms=self.market.terms))
        await run_feed(
            self.mailbox,
            self.market,
            self.room.journal,
            self.fan_outs[-1],
            self.demand,
            settings=FeedSettings("binance"),
            random=Middle(),
            task_status=task_status,
        )

    async def start(self) -> trio.CancelScope:
        return await self.room.start(self.mailbox, self.run)

    def look(self, reader: str = "dawn") -> None:
        """Take what a reader was sent."""
        while (message := self.readers[reader].receive_nowait()) is not None:
            (self.states if isinstance(message, FeedState) else self.seen).append(message)

    def links(self) -> list[Link]:
        self.look()
        return [state.link for state in self.states]

    def hand_to(self, desk: BotDesk, reader: str = "dawn") -> None:
        """Let a bot take what a reader was sent."""
        now_s = trio.current_time()
        while (message := self.readers[reader].receive_nowait()) is not None:
            match message:
                case FeedState():
                    self.states.append(message)
                    desk.feed_state(message, now_s)
                case Candles():
                    desk.candles(message, now_s)
                case _:
                    desk.price(message, now_s)

    async def at(self, seconds: float) -> None:
        await trio.sleep(seconds)
        await settle()

    async def tick(self, price: int, symbol: str = SYMBOL, volume: int = 1000) -> None:
        """Let the stream tell a price, and REST the same."""
        now_s = trio.current_time()
        told = attrs.evolve(ticker(price, now_s), symbol=symbol, volume_base=volume)
        self.market.tickers[symbol] = told
        self.market.stream.tell(told)
        await settle()


@asynccontextmanager
async def open_house(folder: Path) -> AsyncGenerator[House]:
    async with open_room(folder) as room:
        mailbox = Mailbox[Any]("feed:binance")
        readers = {name: Mailbox[Any](name) for name in ("dawn", "dusk")}
        demand = Demand("binance", [mailbox])
        yield House(room, ScriptedMarket(), mailbox, demand, readers)
