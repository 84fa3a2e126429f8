"""What the witness says of orders that must not leave, each made to leave by a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import trio

from actors.messages import OrderRequest, OrderStatus, OrderType, Side, VenueOrder
from actors.ports_store import Row
from actors.pure.client_order_id import client_order_id
from actors.pure.facts import encode, key_of, kind_of
from tests.actors.scripted_venue import ScriptedTrading
from tests.simulation.desk import OperatorWord
from tests.simulation.disk import Disk
from tests.simulation.seeding import run_seeded
from tests.simulation.trace import Trace
from tests.simulation.witness import Watched, Witness
from tests.words import SYMBOL, attempted

TAG, EPOCH = "aaaaaaaa", "1234567"
ORDER = client_order_id(TAG, EPOCH, "i1", 1)
FOREIGN = VenueOrder(
    "binance", SYMBOL, client_order_id(TAG, "7654321", "i1", 1), "v1", Side.BUY, "LIMIT",
    OrderStatus.OPEN, Decimal(1), Decimal(0), Decimal(1), None, 0,
)  # fmt: skip


class House:
    """A witness before a venue that takes everything."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.disk = Disk(1, Trace())
        self.operator = OperatorWord()
        self.venue = ScriptedTrading()
        self.sent: dict[str, float] = {}
        watched = Watched(
            self.disk,
            self.sent,
            TAG,
            EPOCH,
            awake_s=trio.current_time,
            is_alive=lambda: True,
            complain=lambda text: self.said.append(text.partition(":")[0]),
            order_left=lambda: None,
            bar=self.operator.bar,
        )
        self.witness = Witness(self.venue, watched)

    def write(self, *, is_synced: bool = True) -> None:
        fact = attempted(order_id=ORDER)
        at_ms = round(trio.current_time() * 1000)
        kind, key = kind_of(type(fact)), key_of(fact)
        row = Row(kind, key, "dawn", "main", SYMBOL, at_ms, at_ms, encode(fact))
        self.disk.write([row])
        if is_synced:
            self.disk.sync()

    async def reconcile(self) -> None:
        await self.witness.balances()
        await self.witness.open_orders([SYMBOL])

    async def place(self, side: Side = Side.BUY) -> None:
        await self.witness.place(
            OrderRequest(ORDER, SYMBOL, side, OrderType.MARKET, Decimal(1))
        )


def seen(body: Callable[[House], Awaitable[None]]) -> list[str]:
    async def main() -> list[str]:
        house = House()
        async with house.witness.open_private():
            await house.reconcile()
            await body(house)
        return house.said

    return run_seeded(main, 1)


def test_an_order_in_order_is_not_blamed() -> None:
    async def body(house: House) -> None:
        house.write()
        await house.place()

    assert seen(body) == []


def test_an_order_that_leaves_twice_is_seen() -> None:
    async def body(house: House) -> None:
        house.write()
        await house.place()
        await house.place()

    assert seen(body) == ["I-1"]


def test_an_order_that_is_not_durable_is_seen() -> None:
    async def body(house: House) -> None:
        house.write(is_synced=False)
        await house.place()

    assert seen(body) == ["I-2"]


def test_an_order_that_waited_too_long_is_seen() -> None:
    async def body(house: House) -> None:
        house.write()
        await trio.sleep(2.5)
        await house.place()

    assert seen(body) == ["I-16"]


def test_an_order_before_the_first_reconciliation_is_seen() -> None:
    async def main() -> list[str]:
        house = House()
        house.write()
        await house.place(Side.SELL)
        return house.said

    assert run_seeded(main, 1) == ["I-20"]


def test_an_entry_while_the_private_stream_is_gone_is_seen() -> None:
    async def main() -> list[str]:
        house = House()
        async with house.witness.open_private():
            await house.reconcile()
        await trio.sleep(1.0)
        house.write()
        await house.place()
        return house.said

    assert run_seeded(main, 1) == ["I-11"]


def test_an_entry_after_a_reconnection_and_before_its_reconciliation_is_seen() -> None:
    async def main() -> list[str]:
        house = House()
        async with house.witness.open_private():
            await house.reconcile()
        async with house.witness.open_private():
            await trio.sleep(1.0)
            house.write()
            await house.place()
        return house.said

    assert run_seeded(main, 1) == ["I-11"]


def test_an_entry_of_a_bot_that_an_operator_paused_is_seen_and_an_exit_is_not() -> None:
    async def body(house: House) -> None:
        house.operator.hears("pause", "dawn", trio.current_time(), ["dawn"])
        await trio.sleep(1.0)
        house.write()
        await house.place(Side.SELL)
        house.sent.clear()
        await house.place()

    assert seen(body) == ["I-11"]


def test_an_entry_of_a_bot_that_was_asked_to_resume_is_not_blamed() -> None:
    async def body(house: House) -> None:
        house.operator.hears("pause", "dawn", trio.current_time(), ["dawn"])
        house.operator.asks("resume", "dawn")
        await trio.sleep(1.0)
        house.write()
        await house.place()

    assert seen(body) == []


def test_an_entry_beside_another_engine_is_seen() -> None:
    async def body(house: House) -> None:
        house.venue.orders[FOREIGN.client_order_id] = FOREIGN
        await house.reconcile()
        await trio.sleep(3.0)
        house.write()
        await house.place()

    assert seen(body) == ["I-19"]
