"""Our Coinbase while the simulated one misbehaves: what is lost, mended, and said."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
import trio

from actors.messages import (
    BookDelta,
    BookSnapshot,
    Channel,
    OrderType,
    StreamMessage,
    Subscription,
    Traded,
    VenueAck,
    VenueReject,
)
from actors.ports import MarketStream
from actors.pure.book import Book, BookStep
from adapters.coinbase import Coinbase
from adapters.errors import ConnectionLost, RateLimited, RemoteProtocolError
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.faults import Fault, Kind
from tests.adapters.coinbase_desk import CONFIG
from tests.adapters.test_coinbase_on_the_wire import (
    SYMBOL,
    buy,
    each_key,
    name,
    trading_of,
    venue,
)

BOOK = Subscription(SYMBOL, Channel.BOOK)
TRADES = Subscription(SYMBOL, Channel.TRADES)
BOTH = [BOOK, TRADES]


def with_faults(*faults: Fault) -> SimulatorConfig:
    return attrs.evolve(CONFIG, faults=faults)


async def hear(stream: MarketStream, seconds: float) -> tuple[list[StreamMessage], int]:
    """Return what was heard in so many seconds, and how many frames were unreadable."""
    heard: list[StreamMessage] = []
    unreadable = 0
    with trio.move_on_after(seconds):
        while True:
            await trio.lowlevel.checkpoint()
            try:
                heard += await stream.receive()
            except RemoteProtocolError:
                unreadable += 1
    return heard, unreadable


def check_trades(heard: Sequence[StreamMessage]) -> int:
    """Check that no trade is told twice, skipped or out of turn; return how many."""
    numbers = [it.trade_id for it in heard if isinstance(it, Traded)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return len(numbers)


def check_book(heard: Sequence[StreamMessage]) -> int:
    """Check that every change fits onto what came before it; return the snapshots."""
    book, snapshots = Book("coinbase", SYMBOL), 0
    for message in heard:
        if isinstance(message, BookSnapshot):
            assert message.last_id > book.last_id
            assert book.load(message) is BookStep.APPLIED
            snapshots += 1
        elif isinstance(message, BookDelta):
            assert book.apply(message) is BookStep.APPLIED
            assert book.bids.prices[-1] < book.asks.prices[0]
    return snapshots


@pytest.mark.parametrize(("kind", "duration_s"), [("duplicate", 600.0), ("reorder", 0.8)])
async def test_a_feed_that_repeats_or_swaps_its_frames_is_told_in_order(
    nursery: trio.Nursery, kind: Kind, duration_s: float
) -> None:
    fault = Fault(kind=kind, at_s=1.0, duration_s=duration_s, connection="stream")
    async with venue(nursery, with_faults(fault)) as coinbase:
        await coinbase.market.instruments()
        async with coinbase.market.open_stream() as stream:
            await stream.subscribe(BOTH)
            heard, unreadable = await hear(stream, 6.0)
    assert unreadable == 0
    assert check_trades(heard) > 5
    assert check_book(heard) >= 1


async def test_garbage_costs_the_frames_it_is(nursery: trio.Nursery) -> None:
    fault = Fault(kind="garbage", at_s=0.5, duration_s=600.0, times=5, connection="stream")
    async with venue(nursery, with_faults(fault)) as coinbase:
        await coinbase.market.instruments()
        async with coinbase.market.open_stream() as stream:
            await stream.subscribe(BOTH)
            heard, unreadable = await hear(stream, 5.0)
    assert unreadable == 5
    assert check_trades(heard) > 5


async def test_connections_that_are_cut_at_once_are_lost_by_name(
    nursery: trio.Nursery,
) -> None:
    fault = Fault(kind="storm", at_s=0.0, duration_s=600.0)
    async with venue(nursery, with_faults(fault)) as coinbase:
        with pytest.RaisesGroup(
            ConnectionLost, allow_unwrapped=True, flatten_subgroups=True
        ):
            async with coinbase.market.open_stream() as stream:
                await stream.subscribe(BOTH)
                await hear(stream, 5.0)


async def is_banned(coinbase: Coinbase) -> bool:
    try:
        await coinbase.market.ticker(SYMBOL)
    except RateLimited:
        return True
    return False


async def ban_is(coinbase: Coinbase, expected: bool) -> None:
    """Ask until the venue's ban has begun, or is over."""
    for _ in range(100):
        if await is_banned(coinbase) is expected:
            return
        await trio.sleep(0.2)
    raise AssertionError("the ban did not change")


@each_key
async def test_a_ban_holds_everybody_back_and_ends(
    nursery: trio.Nursery, key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.coinbase.gate.RETRY_S", 2.0)
    fault = Fault(kind="rate_limit", at_s=4.0, duration_s=2.0)
    async with venue(nursery, with_faults(fault)) as coinbase:
        trading = trading_of(coinbase, key)
        await coinbase.market.instruments()
        await ban_is(coinbase, True)
        refused = await trading.place(buy(1))
        assert isinstance(refused, VenueReject)
        assert refused.code == "rate_limited"
        await ban_is(coinbase, False)
        assert isinstance(await trading.place(buy(1)), VenueAck)


@each_key
async def test_a_private_stream_that_says_nothing_any_more_is_lost(
    nursery: trio.Nursery, key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("advanced_stream", "exchange_stream"):
        monkeypatch.setattr(f"adapters.coinbase.{module}.SILENT_S", 2.5)
    fault = Fault(kind="half_open", at_s=5.0, duration_s=600.0)
    async with (
        venue(nursery, with_faults(fault)) as coinbase,
        trading_of(coinbase, key).open_private() as stream,
    ):
        with pytest.raises(ConnectionLost, match="no heartbeat"):
            await stream.receive()


@each_key
async def test_an_order_taken_while_nobody_listens_is_found_afterwards(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    """The stream is gone when it fills: the questions tell everything (R-12)."""
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        begun_ms = trading.now_ms() - 1000
        async with trading.open_private():
            pass
        await trading.place(buy(1, OrderType.MARKET))
        found = await trading.order(SYMBOL, name(1))
        assert found is not None
        fills = await trading.fills(SYMBOL, since_ms=begun_ms)
        mine = [it for it in fills if it.venue_order_id == found.venue_order_id]
        assert sum(it.base for it in mine) == found.filled_base == found.base
