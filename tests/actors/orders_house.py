"""An orders actor with a scripted venue, a real journal, and a lease when a test wants."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any

import attrs
import trio

from actors import orders as orders_actor
from actors.mailbox import Mailbox
from actors.messages import (
    Alarmed,
    Approved,
    CancelIntent,
    ExitIntent,
    ExitReason,
    Instrument,
    Lease,
    OrderIntent,
    OrderStatus,
    RiskAnswer,
    Side,
    VenueOrder,
)
from actors.orders import run_orders
from actors.orders_attempts import OrdersSettings
from actors.pure.order_gate import Gate
from tests.actors.emergency import InlineFile
from tests.actors.ledger_room import Room, open_room, settle, taken
from tests.actors.scripted_venue import Middle, ScriptedTrading
from tests.words import BTC, SYMBOL, attempted, ended, filled, intended, order_intent

TAG, EPOCH = "0123abcd", "0e0e0e0"
ANSWER = RiskAnswer(
    approved=True,
    reasons=(),
    warnings=(),
    current_exposure=Decimal(0),
    exposure_max=Decimal(100),
)


def held(order_id: str, status: OrderStatus, filled_base: str = "0") -> VenueOrder:
    """Return an order as the venue has it."""
    return VenueOrder(
        "binance",
        SYMBOL,
        order_id,
        f"v-{order_id[-4:]}",
        Side.BUY,
        "LIMIT",
        status,
        Decimal(1),
        Decimal(filled_base),
        None,
        None,
        0,
    )


@attrs.define(eq=False)
class House:
    room: Room
    mailbox: Mailbox[Any]
    trading: ScriptedTrading
    emergency: InlineFile
    board: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("board"))
    catalogue: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("catalogue:binance"))
    instruments: dict[str, Instrument] = attrs.Factory(lambda: {SYMBOL: BTC})
    symbols: dict[str, str] | None = None  # of each bot that is configured
    limit: tuple[str, str] | None = None
    is_stopping: bool = False
    left: list[str] = attrs.Factory(list[str])  # what a stop said of positions

    def recheck(
        self, _intent: OrderIntent, _gate: Gate, _now_ms: int
    ) -> tuple[str, str] | None:
        return self.limit

    async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
        self, *, task_status: trio.TaskStatus[None]
    ) -> None:
        await run_orders(
            self.mailbox,
            self.trading,
            self.room.journal,
            self.instruments,
            self.emergency,
            settings=OrdersSettings("main", TAG, EPOCH, symbols=self.symbols),
            recheck=self.recheck,
            is_stopping=lambda: self.is_stopping,
            random=Middle(),
            board=self.board,
            catalogue=self.catalogue,
            leave=self.left.append,
            task_status=task_status,
        )

    async def start(self, *, lease_s: float = 1000.0) -> trio.CancelScope:
        life = await self.room.start(self.mailbox, self.run)
        await self.lease(lease_s)
        return life

    async def lease(self, seconds: float = 1000.0) -> None:
        until_s = trio.current_time() + seconds if seconds else -inf
        self.mailbox.latest("lease", Lease("main", until_s))
        await settle()

    async def hold(self) -> None:
        """Let dawn hold one bitcoin."""
        await self.room.record(
            intended(), attempted(), filled(1, 100), ended(OrderStatus.FILLED, "1")
        )

    async def post_entry(self, intent_id: str, **changes: Any) -> None:
        now_s = trio.current_time()
        known = {"valid_until_s": now_s + 60.0, "price_s": now_s, **changes}
        intent = order_intent(intent_id=intent_id, **known)
        await self.mailbox.wish(Approved(intent, ANSWER))

    async def approve(self, intent_id: str = "i1", **changes: Any) -> None:
        await self.post_entry(intent_id, **changes)
        await settle()

    async def post_exit(
        self, intent_id: str = "x1", base: str = "1", valid_until_s: float | None = None
    ) -> None:
        until_s = trio.current_time() + 60 if valid_until_s is None else valid_until_s
        reason, price = ExitReason.STOP_LOSS, Decimal(100)
        await self.mailbox.wish(
            ExitIntent(
                intent_id,
                "dawn",
                "main",
                "binance",
                SYMBOL,
                "c1",
                Decimal(base),
                reason,
                price,
                "Auto-closed",
                until_s,
            )
        )

    async def post_stop(self, intent_id: str = "p1", base: str = "1") -> None:
        """Ask for a protective stop at 98."""
        await self.mailbox.wish(
            ExitIntent(
                intent_id,
                "dawn",
                "main",
                "binance",
                SYMBOL,
                "c1",
                Decimal(base),
                ExitReason.STOP_LOSS,
                Decimal(100),
                "Closed at the exchange",
                trio.current_time() + 60,
                Decimal(98),
                Decimal("97.51"),
            )
        )
        await settle()

    def resting(self, order_id: str, **changes: Any) -> None:
        """Let the exchange hold what it has just taken."""
        self.trading.orders[order_id] = attrs.evolve(
            held(order_id, OrderStatus.OPEN), **changes
        )

    async def exit(
        self, intent_id: str = "x1", base: str = "1", valid_until_s: float | None = None
    ) -> None:
        await self.post_exit(intent_id, base, valid_until_s)
        await settle()

    async def cancel(self, order_id: str) -> None:
        await self.mailbox.wish(CancelIntent("main", "dawn", SYMBOL, order_id, "test"))
        await settle()

    def alarms(self) -> list[Alarmed]:
        return [each for each in taken(self.board) if isinstance(each, Alarmed)]


@asynccontextmanager
async def open_house(folder: Path) -> AsyncGenerator[House]:
    async with open_room(folder, "orders:main", reads=orders_actor.READS) as room:
        file = InlineFile(folder / "emergency-main")
        yield House(room, room.mailboxes["orders:main"], ScriptedTrading(), file)
        file.file.close()
