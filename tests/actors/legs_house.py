"""An arbitrage between two scripted venues, with real risk, orders and journal for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from actors import bot, orders, risk
from actors.arbitrage import run_arbitrage
from actors.legs import LegDoors
from actors.mailbox import Mailbox
from actors.messages import (
    Alarmed,
    FeedState,
    Lease,
    Link,
    OrderStatus,
    Side,
    VenueAck,
    VenueFill,
)
from actors.orders import run_orders
from actors.orders_attempts import OrdersSettings
from actors.outlets import Reader
from actors.pure.arbitrage import ArbitrageSettings, LegSettings
from actors.pure.client_order_id import IntentIds
from actors.pure.risk_recheck import recheck
from actors.pure.risk_rules import Limits
from actors.risk import run_risk
from tests.actors.emergency import InlineFile
from tests.actors.ledger_room import Room, open_room, settle, taken
from tests.actors.scripted_venue import Middle, ScriptedTrading
from tests.pure.leg_words import SELL, SETTINGS, inventory
from tests.words import BTC, SYMBOL, ticker

EPOCH = "0e0e0e0"
TAGS = {"main": "0123abcd", "second": "4567cdef"}


@attrs.define(eq=False)
class Account:
    """One leg's account: its actors' mailboxes, its venue, its lives."""

    leg: LegSettings
    risk: Mailbox[Any]
    orders: Mailbox[Any]
    trading: ScriptedTrading
    emergency: InlineFile

    @property
    def limits(self) -> Limits:
        capital = self.leg.capital
        return Limits(capital=capital, allocations={self.leg.bot: capital})


@attrs.define(eq=False)
class LegsHouse:
    room: Room
    bot: Mailbox[Any]
    board: Mailbox[Any]
    dawn: Account
    dusk: Account
    settings: ArbitrageSettings = SETTINGS
    lives: int = 0

    async def start_doors(self) -> None:
        """Begin the risk and orders actors of both accounts; both have a lease."""
        for side in (self.dawn, self.dusk):
            await self.room.start(side.risk, self._risk(side))
            await self.room.start(side.orders, self._orders(side))
            await self.lease(side)

    async def lease(self, side: Account, seconds: float = 1000.0) -> None:
        until_s = trio.current_time() + seconds
        side.orders.latest("lease", Lease(side.leg.account, until_s))
        await settle()

    async def start(self) -> trio.CancelScope:
        """Begin a life of the arbitrage."""
        self.lives += 1
        doors = {
            side.leg.bot: LegDoors(
                side.risk, side.orders, {SYMBOL: BTC}, lambda _wanted: None
            )
            for side in (self.dawn, self.dusk)
        }
        run = partial(
            run_arbitrage,
            self.bot,
            doors,
            self.room.journal,
            self.board,
            settings=self.settings,
            ids=lambda: IntentIds("e", "r", "bot:dawn", self.lives),
        )
        life = await self.room.start(self.bot, run)
        for exchange in ("binance", "kraken"):
            self.bot.latest((FeedState, exchange), FeedState(exchange, Link.RESUMED, 0.0))
        await settle()
        return life

    async def price(self, here: str, there: str) -> None:
        """Let both exchanges tell a price to everybody who reads it."""
        now_s = trio.current_time()
        for side, price in ((self.dawn, here), (self.dusk, there)):
            told = ticker(price, now_s, exchange=side.leg.exchange)
            side.risk.latest("ticker", told)
        await settle()
        for side, price in ((self.dawn, here), (self.dusk, there)):
            told = ticker(price, now_s, exchange=side.leg.exchange)
            self.bot.latest(("ticker", side.leg.exchange), told)
        await settle()

    async def stock(self, base: str = "5") -> None:
        """Let dusk hold something to sell."""
        await self.room.record(*inventory(SELL, base))

    def alarms(self) -> list[Alarmed]:
        return [each for each in taken(self.board) if isinstance(each, Alarmed)]

    def _risk(self, side: Account) -> Any:
        return partial(
            run_risk,
            side.risk,
            side.orders,
            self.room.journal,
            account=side.leg.account,
            symbols=frozenset({SYMBOL}),
            limits=side.limits,
            instruments={SYMBOL: BTC},
            want=lambda _wanted: None,
            now_ms=side.trading.now_ms,
        )

    def _orders(self, side: Account) -> Any:
        account = side.leg.account
        return partial(
            run_orders,
            side.orders,
            side.trading,
            self.room.journal,
            {SYMBOL: BTC},
            side.emergency,
            settings=OrdersSettings(account, TAGS[account], EPOCH),
            recheck=partial(recheck, side.limits),
            is_stopping=lambda: False,
            random=Middle(),
        )


def executed(side: Side, base: str, price: str, trade_id: str = "t1") -> VenueAck:
    """Return the answer of a venue that executed all of an order at once."""
    fill = VenueFill(
        "binance", SYMBOL, "", "v1", trade_id, side, Decimal(price), Decimal(base),
        Decimal(0), "USDT", False, 1_700_000_000_000,
    )  # fmt: skip
    return VenueAck("", "v1", OrderStatus.FILLED, Decimal(base), 0, (fill,))


@asynccontextmanager
async def open_legs_house(folder: Path) -> AsyncGenerator[LegsHouse]:
    async with open_room(folder, "bot:dawn", reads=bot.READS) as room:
        sides: list[Account] = []
        for leg in SETTINGS.legs:
            file = InlineFile(folder / f"emergency-{leg.account}")
            risk_box = Mailbox[Any](f"risk:{leg.account}")
            orders_box = Mailbox[Any](f"orders:{leg.account}")
            for box, reads in ((risk_box, risk.READS), (orders_box, orders.READS)):
                room.outlets.add(Reader(box.name, box, reads, account=leg.account))
            sides.append(Account(leg, risk_box, orders_box, ScriptedTrading(), file))
        yield LegsHouse(
            room, room.mailboxes["bot:dawn"], Mailbox("board"), sides[0], sides[1]
        )
        for side in sides:
            side.emergency.file.close()
