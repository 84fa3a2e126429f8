"""A paper account on its file, beside a market that does what the test says."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from actors.messages import (
    BalancesHeard,
    BookDelta,
    BookSnapshot,
    Channel,
    OrderRequest,
    OrderStatus,
    OrderType,
    PrivateMessage,
    Side,
    Subscription,
    SubscriptionRefused,
    Traded,
    VenueAck,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.ports import ConnectionLost, PrivateStream, VenueError
from actors.pure.paper_matching import PaperFees
from adapters.paper import PaperSettings, PaperTrading
from adapters.sqlite.inline import InlineStore
from tests.actors.ledger_room import Disk, RunClock, settle
from tests.actors.scripted_venue import ScriptedMarket
from tests.words import BTC, SYMBOL, ticker

SETTINGS = PaperSettings(
    "binance",
    "main",
    frozenset({SYMBOL}),
    {"USDT": Decimal(10_000)},
    PaperFees(Decimal("0.001"), Decimal("0.001")),
)
BUY = OrderRequest("c1", SYMBOL, Side.BUY, OrderType.MARKET, Decimal("0.1"))
REST = attrs.evolve(
    BUY, client_order_id="c2", order_type=OrderType.LIMIT, limit_price=Decimal(49_000)
)
PRICE = ticker("50000", bid=Decimal(49_999), ask=Decimal(50_001))


def traded(price: str, base: str) -> Traded:
    return Traded("binance", SYMBOL, 1, Decimal(price), Decimal(base), Side.SELL, 1, 0.0)


@attrs.define(eq=False)
class House:
    """A market, a file, and the account on it."""

    market: ScriptedMarket
    disk: Disk
    trading: PaperTrading

    @classmethod
    def open(cls, folder: Path, **changes: Any) -> House:
        market = ScriptedMarket()
        disk = Disk(InlineStore(folder / "venue-main.db"))
        settings = attrs.evolve(SETTINGS, **changes)
        trading = PaperTrading.of(market, {SYMBOL: BTC}, disk, RunClock(), settings)
        return cls(market, disk, trading)

    async def close(self) -> None:
        await self.disk.ledger.close()


@asynccontextmanager
async def watching(house: House) -> AsyncGenerator[PrivateStream]:
    """Open the private stream; the market has told its price."""
    async with house.trading.open_private() as stream:
        house.market.stream.tell(PRICE)
        await settle()
        yield stream


def said(messages: Sequence[PrivateMessage], kind: type[Any]) -> list[Any]:
    return [message for message in messages if isinstance(message, kind)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    found = House.open(tmp_path)
    yield found
    await found.close()


async def test_an_order_is_filled_at_the_live_price_and_told(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    async with watching(house) as stream:
        ack = await house.trading.place(BUY)
        heard = await stream.receive()

    assert isinstance(ack, VenueAck)
    assert (ack.status, ack.filled_base) == (OrderStatus.FILLED, Decimal("0.1"))
    (fill,) = said(heard, VenueFill)
    assert (fill.price, fill.fee, fill.fee_asset) == (50_001, Decimal("0.0001"), "BTC")
    assert said(heard, VenueOrder)[-1].status is OrderStatus.FILLED
    (balances,) = said(heard, BalancesHeard)
    assert [(b.asset, b.free) for b in balances.balances] == [
        ("BTC", Decimal("0.0999")),
        ("USDT", Decimal("4999.9")),
    ]
    assert house.market.stream.subscribed == {
        Subscription(SYMBOL, each)
        for each in (Channel.TICKER, Channel.TRADES, Channel.BOOK)
    }


async def test_the_book_is_asked_for_when_its_changes_come(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    thin = ((Decimal(50_010), Decimal("0.04")), (Decimal(50_020), Decimal(1)))
    snapshot = BookSnapshot("binance", SYMBOL, 9, (), thin, 0.0)
    house.market.books[SYMBOL] = [snapshot]
    async with watching(house):
        house.market.stream.tell(BookDelta("binance", SYMBOL, 10, 10, (), (), 0))
        await settle()
        ack = await house.trading.place(BUY)

    assert isinstance(ack, VenueAck)
    assert [(fill.price, fill.base) for fill in ack.fills] == [
        (50_010, Decimal("0.04")),
        (50_020, Decimal("0.06")),
    ]


async def test_a_resting_order_survives_and_is_filled_by_the_next_run(
    tmp_path: Path, autojump_clock: trio.abc.Clock
) -> None:
    first = House.open(tmp_path)
    async with watching(first):
        placed = await first.trading.place(REST)
    await first.close()  # nothing else was said: as after kill -9
    second = House.open(tmp_path, balances={"USDT": Decimal(5)})  # only a new one asks
    async with watching(second) as stream:
        resting = await second.trading.open_orders([SYMBOL])
        second.market.stream.tell(traded("48000", "0.04"))
        heard = await stream.receive()
        held = await second.trading.balances()
    await second.close()

    assert isinstance(placed, VenueAck)
    assert [(it.client_order_id, it.status) for it in resting] == [("c2", OrderStatus.OPEN)]
    (fill,) = said(heard, VenueFill)
    assert (fill.client_order_id, fill.price, fill.base, fill.is_maker) == (
        "c2",
        49_000,
        Decimal("0.04"),
        True,
    )
    assert {b.asset: (b.free, b.locked) for b in held} == {
        "BTC": (Decimal("0.03996"), 0),
        "USDT": (5_100, 2_940),
    }


async def test_an_order_that_the_disk_did_not_take_never_was(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    async with watching(house):
        house.disk.error = OSError(28, "no space left on device")
        answer = await house.trading.place(BUY)
        house.disk.error = None
        found = await house.trading.order(SYMBOL, "c1")
        again = await house.trading.place(BUY)

    assert isinstance(answer, VenueUnknown)
    assert found is None
    assert isinstance(again, VenueAck)


async def test_an_id_is_taken_once(house: House, autojump_clock: trio.abc.Clock) -> None:
    async with watching(house):
        first = await house.trading.place(REST)
        second = await house.trading.place(REST)
        fills = await house.trading.fills(SYMBOL, since_ms=0)
        past = await house.trading.past_orders(SYMBOL, since_ms=0)

    assert isinstance(first, VenueAck)
    assert isinstance(second, VenueUnknown)
    assert (list(fills), len(past)) == ([], 1)


async def test_a_cancel_frees_the_money_and_a_second_one_is_refused(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    async with watching(house):
        await house.trading.place(REST)
        cancelled = await house.trading.cancel(SYMBOL, "c2")
        again = await house.trading.cancel(SYMBOL, "c2")
        (usdt,) = await house.trading.balances()

    assert isinstance(cancelled, VenueAck)
    assert cancelled.status is OrderStatus.CANCELED
    assert again == VenueReject("c2", "unknown_order", "there is none that lives")
    assert (usdt.free, usdt.locked) == (10_000, 0)


async def test_a_stop_makes_room_for_another_in_one_step(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    stop = OrderRequest(
        "s1", SYMBOL, Side.SELL, OrderType.STOP_LOSS_LIMIT, Decimal("0.09"),
        Decimal(47_900), Decimal(48_000),
    )  # fmt: skip
    async with watching(house):
        await house.trading.place(BUY)
        await house.trading.place(stop)
        raised = attrs.evolve(stop, client_order_id="s2", stop_price=Decimal(49_000))
        both = await house.trading.replace("s1", raised)
        none = await house.trading.replace("s1", attrs.evolve(stop, client_order_id="s3"))
        live = await house.trading.open_orders([SYMBOL])

    assert isinstance(both.cancelled, VenueAck)
    assert isinstance(both.placed, VenueAck)
    assert none.placed == VenueReject("s3", "not_replaced", "there is none that lives")
    assert [it.client_order_id for it in live] == ["s2"]


async def test_the_stream_ends_with_the_market_and_its_prices_are_forgotten(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ConnectionLost, match="cut")):
        async with watching(house) as stream:
            house.market.stream.fail(ConnectionLost("cut"))
            await stream.receive()

    assert await house.trading.place(BUY) == VenueReject(
        "c1", "no_price", f"no price of {SYMBOL} is known"
    )


@pytest.mark.parametrize("is_refused_late", [True, False])
async def test_a_symbol_that_is_delisted_costs_the_others_nothing(
    tmp_path: Path, is_refused_late: bool, autojump_clock: trio.abc.Clock
) -> None:
    house = House.open(tmp_path, symbols=frozenset({SYMBOL, "OLD/USDT"}))
    gone = SubscriptionRefused(None, 0, "OLD/USDT is delisted", "OLD/USDT")
    if not is_refused_late:
        house.market.unlisted = frozenset({"OLD/USDT"})
    async with watching(house) as stream:
        house.market.stream.tell(*[gone] * is_refused_late)
        await settle()
        rests = attrs.evolve(BUY, order_type=OrderType.LIMIT, limit_price=Decimal(50_000))
        await house.trading.place(rests)
        house.market.stream.tell(ticker(49_000))
        await settle()
        told = said(await stream.receive(), VenueOrder)
    await house.close()
    assert told[-1].status is OrderStatus.FILLED


async def test_a_market_that_says_nothing_ends_the_stream(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ConnectionLost, match="no word")):
        async with watching(house) as stream:
            await stream.receive()

    assert trio.current_time() == pytest.approx(60)


async def test_an_exit_without_a_stream_asks_for_the_price(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    """I-12: exits wait for no stream."""
    house.market.tickers[SYMBOL] = PRICE
    bought = await house.trading.place(BUY)
    house.market.errors[SYMBOL] = VenueError("gone")
    sold = await house.trading.place(
        attrs.evolve(BUY, client_order_id="c9", side=Side.SELL, base=Decimal("0.09"))
    )

    assert isinstance(bought, VenueAck)
    assert bought.fills[0].price == 50_001
    assert isinstance(sold, VenueReject)
    assert sold.code == "no_price"


async def test_a_book_that_the_stream_brings_is_not_asked_for(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    house.market.terms = attrs.evolve(house.market.terms, is_book_streamed=True)
    thin = ((Decimal(50_010), Decimal(1)),)
    async with watching(house):
        house.market.stream.tell(BookDelta("binance", SYMBOL, 10, 10, (), (), 0))
        await settle()
        house.market.stream.tell(BookSnapshot("binance", SYMBOL, 12, (), thin, 0.0))
        await settle()
        ack = await house.trading.place(BUY)

    assert house.market.asked_for("book") == []
    assert isinstance(ack, VenueAck)
    assert ack.fills[0].price == 50_010


@pytest.mark.parametrize(("most", "channels"), [(3, 3), (2, 2), (1, 1), (0, 1)])
async def test_more_symbols_than_a_connection_carries_are_seen_by_less(
    house: House, most: int, channels: int, autojump_clock: trio.abc.Clock
) -> None:
    house.market.terms = attrs.evolve(house.market.terms, subscriptions_max=most)
    async with watching(house):
        wanted = house.market.stream.subscribed

    kinds = (Channel.TICKER, Channel.TRADES, Channel.BOOK)[:channels]
    assert {each.channel for each in wanted} == set(kinds)
