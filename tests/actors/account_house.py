"""An account with a scripted venue and a real journal; its lease and alarms are seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import trio

from actors import account as account_actor
from actors.account import AccountSettings, run_account
from actors.mailbox import Mailbox
from actors.messages import (
    Alarmed,
    Lease,
    OrderStatus,
    Reconciled,
    Side,
    VenueFill,
    VenueOrder,
)
from actors.pure.client_order_id import client_order_id
from tests.actors.ledger_room import Room, open_room, settle, taken
from tests.actors.scripted_venue import Middle, ScriptedTrading
from tests.words import SYMBOL, attempted, intended

TAG, EPOCH = "0123abcd", "0e0e0e0"
ID = client_order_id(TAG, EPOCH, "i1", 1)
VENUE_ID = "v1"


def venue_order(
    status: OrderStatus,
    filled_base: str = "0",
    order_id: str = ID,
    venue_id: str = VENUE_ID,
) -> VenueOrder:
    return VenueOrder(
        "binance",
        SYMBOL,
        order_id,
        venue_id,
        Side.BUY,
        "LIMIT",
        status,
        Decimal(1),
        Decimal(filled_base),
        None,
        None,
        0,
    )


def venue_fill(trade_id: str, base: str, order_id: str = ID, **changes: Any) -> VenueFill:
    plain = VenueFill(
        "binance",
        SYMBOL,
        order_id,
        VENUE_ID,
        trade_id,
        Side.BUY,
        Decimal(100),
        Decimal(base),
        Decimal(0),
        "USDT",
        is_maker=False,
        trade_ms=0,
    )
    return attrs.evolve(plain, **changes)


@attrs.define(eq=False)
class House:
    room: Room
    mailbox: Mailbox[Any]
    trading: ScriptedTrading = attrs.Factory(ScriptedTrading)
    orders: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("orders:main"))
    board: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("board"))
    bots: dict[str, str] = attrs.Factory(lambda: {"dawn": SYMBOL})
    lease_seen: Lease | None = None
    told: dict[tuple[str, str], str] = attrs.Factory(dict[tuple[str, str], str])
    alarmed: set[str] = attrs.Factory(set[str])
    life: trio.CancelScope | None = None

    async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
        self, *, task_status: trio.TaskStatus[None]
    ) -> None:
        await run_account(
            self.mailbox,
            self.trading,
            self.orders,
            self.room.journal,
            settings=AccountSettings("main", TAG, "binance", self.bots, epoch=EPOCH),
            random=Middle(),
            board=self.board,
            told=self.told,
            task_status=task_status,
        )

    async def start(self) -> trio.CancelScope:
        self.life = await self.room.start(self.mailbox, self.run)
        await self.wait(0.1)
        return self.life

    async def end(self) -> None:
        """End the life that was begun last."""
        if self.life is not None:
            self.life.cancel()
        await settle()

    async def wait(self, seconds: float) -> None:
        await trio.sleep(seconds)
        await settle()

    async def attempt(self, **changes: Any) -> None:
        """Let the ledger have one order that was just sent."""
        now_ms = self.trading.now_ms()
        attempt = attempted("i1", ID, attempt_ms=now_ms, **changes)
        await self.room.record(intended(), attempt)

    def lease(self) -> Lease:
        for message in taken(self.orders):
            self.lease_seen = message
        assert self.lease_seen is not None
        return self.lease_seen

    def may_buy(self) -> bool:
        """Whether the orders actor holds a lease now."""
        return self.lease().valid_until_s > trio.current_time()

    def alarms(self) -> list[tuple[str, bool]]:
        """Return what the board would say of alarms: what begins, and what is over."""
        news: list[tuple[str, bool]] = []
        for alarm in (each for each in taken(self.board) if isinstance(each, Alarmed)):
            if alarm.is_over == (alarm.code in self.alarmed):
                news.append((alarm.code, alarm.is_over))
                self.alarmed ^= {alarm.code}
        return news

    async def passes(self) -> list[Reconciled]:
        return await self.room.recorded(Reconciled)

    async def pass_now(self) -> Reconciled:
        """Let the next routine pass come."""
        before = len(await self.passes())
        await self.wait(62)
        return (await self.passes())[before]


@asynccontextmanager
async def open_house(folder: Path) -> AsyncGenerator[House]:
    async with open_room(folder, "account:main", reads=account_actor.READS) as room:
        yield House(room, room.mailboxes["account:main"])
