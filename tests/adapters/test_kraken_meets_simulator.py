"""Our Kraken against the simulator's, over real sockets: two readings of one document."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import attrs
import pytest
import trio

from actors.messages import (
    BalancesHeard,
    BookDelta,
    BookSnapshot,
    Channel,
    OrderStatus,
    OrderType,
    Side,
    Source,
    Subscription,
    VenueAck,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.ports import ConnectionLost, RateLimited
from adapters.kraken.trading import KrakenTrading
from adapters.simulator.server import Simulator
from tests.adapters.kraken_desk import (
    CONFIG,
    IDS,
    KEYS,
    by_socket,
    fault,
    heard,
    keep_hearing,
    market,
    opened,
    order,
)

BTC = "BTC/USDT"


async def test_every_channel_tells_and_books_stay_proven(nursery: trio.Nursery) -> None:
    wanted = [
        Subscription(symbol, channel, "1m" if channel is Channel.CANDLES else "")
        for symbol in (BTC, "ETH/USDT")
        for channel in Channel
    ]
    told: Counter[str] = Counter()
    last_ids: dict[str, int] = {}
    async with opened(nursery) as (_, kraken), kraken.market.open_stream() as stream:
        await stream.subscribe(wanted)
        with trio.fail_after(20):
            await trio.lowlevel.checkpoint()
            while len(told) < 7 or told["BookDelta"] < 100:
                for message in await stream.receive():
                    told[type(message).__name__] += 1
                    if isinstance(message, BookSnapshot):
                        last_ids[message.symbol] = message.last_id
                    if isinstance(message, BookDelta):
                        assert message.first_id == last_ids[message.symbol] + 1
                        last_ids[message.symbol] = message.last_id
    assert told["BookSnapshot"] == 2  # none broke
    assert told["SubscriptionAccepted"] == 8  # ticker and best prices are one
    assert {"Ticker", "BookTop", "Traded", "Candle", "BookDelta"} <= set(told)


@pytest.mark.parametrize(("kind", "is_broken"), [("reorder", True), ("duplicate", False)])
async def test_a_book_that_was_told_wrongly_is_told_anew(
    nursery: trio.Nursery, kind: str, is_broken: bool
) -> None:
    """A change told twice does no harm; one told too late begins the book anew."""
    snapshots: list[int] = []
    last_id = 0
    async with (
        opened(nursery) as (simulator, kraken),
        kraken.market.open_stream() as stream,
    ):
        await stream.subscribe([Subscription(BTC, Channel.BOOK)])
        with trio.move_on_after(5):
            await trio.lowlevel.checkpoint()
            while True:
                for message in await stream.receive():
                    if isinstance(message, BookSnapshot):
                        assert message.last_id > last_id
                        snapshots.append(last_id := message.last_id)
                        if len(snapshots) == 1:
                            simulator.inject(fault(kind, duration_s=0.45))
                    if isinstance(message, BookDelta):
                        assert message.first_id == last_id + 1
                        last_id = message.last_id
    assert last_id > 10
    assert (len(snapshots) > 1) == is_broken


async def test_the_public_questions_are_answered(nursery: trio.Nursery) -> None:
    async with opened(nursery) as (_, kraken):
        listed = await kraken.market.instruments()
        ticker = await kraken.market.ticker(BTC)
        candles = await kraken.market.candles(BTC, "5m", limit=30)
        book = await kraken.market.book(BTC)
        offset_ms, _ = await kraken.market.measure_offset()
        system = await kraken.market.system()
    assert sorted(listed) == [BTC, "ETH/USDT"]
    assert listed[BTC].venue_symbol == "XBTUSDT"
    assert (ticker.source, ticker.symbol) == (Source.REST, BTC)
    assert ticker.bid < ticker.ask
    assert len(candles) == 30
    assert [each.is_closed for each in candles[-2:]] == [True, False]
    assert candles[1].open_ms - candles[0].open_ms == 300_000
    assert book.bids[0][0] < book.asks[0][0]
    assert abs(offset_ms) < 500
    assert system.system == "online"


@pytest.mark.parametrize("is_by_socket", [True, False])
async def test_an_order_rests_is_found_by_our_id_and_is_cancelled(
    nursery: trio.Nursery, is_by_socket: bool
) -> None:
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS)
        async with trading.open_private() as stream:
            if is_by_socket:
                async with by_socket(trading):
                    placed = await trading.place(order(1))
                    asked = await trading.cancel(BTC, IDS[1])
            else:
                placed = await trading.place(order(1))
                asked = await trading.cancel(BTC, IDS[1])
            told = await heard(
                stream, lambda it: getattr(it, "status", None) is OrderStatus.CANCELED
            )
        await trio.sleep(0.01)  # two lives of one key are not within one millisecond
        found = await kraken.trading(*KEYS).order(BTC, IDS[1])  # without any memory
        await trio.sleep(0.01)
        past = await trading.past_orders(BTC, since_ms=trading.now_ms() - 60_000)
        still_open = await trading.open_orders([BTC])
    assert isinstance(placed, VenueAck)
    assert isinstance(asked, VenueAck)
    orders = [each for each in told if isinstance(each, VenueOrder)]
    assert {each.client_order_id for each in orders} == {IDS[1]}
    assert {each.symbol for each in orders} == {BTC}
    assert orders[-1].base == Decimal("0.01")
    assert found is not None
    assert (found.status, found.venue_order_id) == (
        OrderStatus.CANCELED,
        placed.venue_order_id,
    )
    assert (found.limit_price, found.side, found.symbol) == (
        Decimal(30_000),
        Side.BUY,
        BTC,
    )
    assert [each.client_order_id for each in past] == [IDS[1]]
    assert still_open == []


async def test_a_fill_is_heard_and_told_alike_by_the_history(nursery: trio.Nursery) -> None:
    async with opened(nursery) as (simulator, kraken):
        trading = kraken.trading(*KEYS)
        async with trading.open_private() as stream, by_socket(trading):
            placed = await trading.place(market(2))
            told = await heard(
                stream, lambda it: getattr(it, "status", None) is OrderStatus.FILLED
            )
        fills = await trading.fills(BTC, since_ms=trading.now_ms() - 60_000)
        balances = {each.asset: each for each in await trading.balances()}
        truth = simulator.exchange.engine.wallets.holdings["ann"]
    assert isinstance(placed, VenueAck)
    live = [each for each in told if isinstance(each, VenueFill)]
    totals = [each for each in told if isinstance(each, BalancesHeard)]
    assert {each.asset for each in totals[0].balances} == {"BTC", "USDT"}
    assert sorted(live, key=str) == sorted(fills, key=str)
    assert {each.client_order_id for each in fills} == {IDS[2]}
    assert {each.fee_asset for each in fills} == {"USDT"}
    assert sum(each.base for each in fills) == Decimal("0.01")
    assert balances["BTC"].free == truth["BTC"].free == Decimal("2.01")
    assert abs(balances["USDT"].free - truth["USDT"].free) < Decimal("0.0000001")


async def test_a_taker_s_executions_are_told_singly_by_the_stream_and_by_the_history(
    nursery: trio.Nursery,
) -> None:
    """I-5: the history joins them unless asked not to, and we go by their ids."""
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS)
        since_ms = trading.now_ms() - 60_000
        async with trading.open_private() as stream, by_socket(trading):
            sold = attrs.evolve(market(6, Side.SELL), base=Decimal("1.9"))
            await trading.place(sold)
            told = await heard(
                stream, lambda it: getattr(it, "status", None) is OrderStatus.FILLED
            )
        fills = await trading.fills(BTC, since_ms=since_ms)
    live = {it.trade_id: it.base for it in told if isinstance(it, VenueFill)}
    assert len(live) > 1
    assert {it.trade_id: it.base for it in fills} == live


@pytest.mark.parametrize("kind", ["lost_ack", "server_error"])
@pytest.mark.parametrize("is_by_socket", [True, False])
async def test_an_answer_that_is_lost_is_unknown_until_it_is_asked_for(
    nursery: trio.Nursery,
    kind: str,
    is_by_socket: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.kraken.order_socket.REPLY_S", 1.0)
    async with opened(nursery) as (simulator, kraken):
        trading = kraken.trading(*KEYS)
        await kraken.market.instruments()
        simulator.inject(fault(kind, times=1))
        if is_by_socket:
            async with by_socket(trading):
                placed = await trading.place(order(3))
        else:
            placed = await trading.place(order(3))
        found = await trading.order(BTC, IDS[3])
        never = await trading.order(BTC, IDS[4])
        truth = simulator.truth()
    assert isinstance(placed, VenueUnknown)
    assert found is not None
    assert found.status is OrderStatus.OPEN
    assert never is None
    assert truth["placed_twice"] == []


async def test_the_venue_s_refusals_are_definite_and_nothing_rests(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS)
        async with by_socket(trading):
            dear = await trading.place(order(5, base=Decimal(100)))
            small = await trading.place(order(6, base=Decimal("0.000001")))
            maker = await trading.place(
                order(7, OrderType.LIMIT_MAKER, limit_price=Decimal(90_000))
            )
            gone = await trading.cancel(BTC, IDS[8])
            unlisted = await trading.place(order(9, symbol="NO/USDT"))
            twice = [await trading.place(order(10)) for _ in range(2)]
        still_open = await trading.open_orders([BTC])
    assert [
        each.code if isinstance(each, VenueReject) else each for each in (dear, small, gone)
    ] == [
        "EOrder:Insufficient funds",
        "EGeneral:Invalid arguments:volume minimum not met",
        "EOrder:Unknown order",
    ]
    assert isinstance(maker, VenueReject)
    assert isinstance(unlisted, VenueReject)
    assert unlisted.code == "not_sent"
    assert [type(each) for each in twice] == [VenueAck, VenueUnknown]  # it is there
    assert len(still_open) == 1


@pytest.mark.parametrize(
    ("kind", "stop_price", "limit_price"),
    [
        (OrderType.STOP_LOSS_LIMIT, 50_000, 49_000),
        (OrderType.TAKE_PROFIT_LIMIT, 80_000, 79_000),
    ],
)
async def test_triggered_orders_rest_on_both_roads(
    nursery: trio.Nursery, kind: OrderType, stop_price: int, limit_price: int
) -> None:
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS)
        request = order(
            11,
            kind,
            side=Side.SELL,
            stop_price=Decimal(stop_price),
            limit_price=Decimal(limit_price),
        )
        by_rest = await trading.place(request)
        async with by_socket(trading):
            by_ws = await trading.place(attrs.evolve(request, client_order_id=IDS[12]))
        found = await trading.open_orders([BTC])
    assert isinstance(by_rest, VenueAck)
    assert isinstance(by_ws, VenueAck)
    assert {(each.stop_price, each.limit_price) for each in found} == {
        (Decimal(stop_price), Decimal(limit_price))
    }
    assert {each.order_type for each in found} == {kind.value.replace("_", "-")}
    assert {each.client_order_id for each in found} == {IDS[11], IDS[12]}


async def test_a_new_private_stream_begins_with_what_is_open(nursery: trio.Nursery) -> None:
    async with opened(nursery) as (_, kraken):
        first = kraken.trading(*KEYS)
        await first.place(order(13))
        await trio.sleep(0.01)  # two lives of one key are not within one millisecond
        second = kraken.trading(*KEYS)  # another life: it has no memory
        async with second.open_private() as stream:
            told = await heard(stream, lambda it: isinstance(it, VenueOrder))
            await first.cancel(BTC, IDS[13])
            ended = await heard(
                stream, lambda it: getattr(it, "status", None) is OrderStatus.CANCELED
            )
    (resting,) = [each for each in told if isinstance(each, VenueOrder)]
    assert (resting.client_order_id, resting.status) == (IDS[13], OrderStatus.OPEN)
    assert ended[-1].client_order_id == IDS[13]  # though the update does not say so


async def test_a_stop_is_replaced_only_when_the_old_one_has_ended(
    nursery: trio.Nursery,
) -> None:
    stop = order(
        14,
        OrderType.STOP_LOSS_LIMIT,
        side=Side.SELL,
        stop_price=Decimal(50_000),
        limit_price=Decimal(49_000),
    )
    raised = attrs.evolve(stop, client_order_id=IDS[15], stop_price=Decimal(51_000))
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS)
        async with (
            trading.open_private() as stream,
            trio.open_nursery() as listening,
            by_socket(trading),
        ):
            listening.start_soon(keep_hearing, stream)
            await trading.place(stop)
            done = await trading.replace(IDS[14], raised)
            again = await trading.replace(
                IDS[14], attrs.evolve(stop, client_order_id=IDS[16])
            )
            unknown = await trading.replace(
                IDS[17], attrs.evolve(stop, client_order_id=IDS[18])
            )
            listening.cancel_scope.cancel()
        found = await trading.open_orders([BTC])
    assert isinstance(done.cancelled, VenueAck)
    assert done.cancelled.status is OrderStatus.CANCELED
    assert isinstance(done.placed, VenueAck)
    assert isinstance(again.placed, VenueAck)  # it was told how the old one had ended
    assert isinstance(unknown.cancelled, VenueReject)
    assert isinstance(unknown.placed, VenueReject)
    assert unknown.placed.code == "not_replaced"
    assert {each.client_order_id for each in found} == {IDS[15], IDS[16]}


async def test_a_forbidding_venue_closes_the_gate_for_everybody(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery) as (simulator, kraken):
        trading = kraken.trading(*KEYS)
        await kraken.market.instruments()
        simulator.inject(fault("ban", duration_s=30))
        with pytest.raises(RateLimited):
            await trading.balances()
        placed = await trading.place(order(19))
        requests = dict(simulator.exchange.requests)
        with pytest.raises(RateLimited):
            await kraken.market.ticker(BTC)
        after = dict(simulator.exchange.requests)
    assert isinstance(placed, VenueReject)
    assert requests == after


async def test_the_market_goes_on_after_the_connections_were_cut(
    nursery: trio.Nursery,
) -> None:
    wanted = [Subscription(BTC, Channel.BOOK)]
    told: list[int] = []
    async with opened(nursery) as (simulator, kraken):
        for _ in range(2):
            async with kraken.market.open_stream() as stream:
                await stream.subscribe(wanted)
                with trio.fail_after(5):
                    while True:
                        messages = await stream.receive()
                        books = [it for it in messages if isinstance(it, BookSnapshot)]
                        if books:
                            told.append(len(books[0].bids))
                            break
            simulator.inject(fault("disconnect"))
    assert len(told) == 2
    assert min(told) > 10


async def test_the_dead_man_s_switch_is_renewed_and_ends_in_good_order(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS, dead_man_s=2)
        async with by_socket(trading):
            await trading.place(order(20))
            await trio.sleep(3)
            renewed = await trading.open_orders([BTC])
        await trio.sleep(3)
        found = await trading.open_orders([BTC])
    assert len(renewed) == len(found) == 1


async def test_the_dead_man_s_switch_cancels_when_the_connection_is_lost_for_good(
    nursery: trio.Nursery,
) -> None:
    async def cut_soon(simulator: Simulator) -> None:
        await trio.sleep(0.7)
        simulator.inject(fault("disconnect"))

    async def use(trading: KrakenTrading) -> None:
        async with trading.open_orders_connection() as serve:
            await serve()

    async with opened(nursery) as (simulator, kraken):
        trading = kraken.trading(*KEYS, dead_man_s=2)
        await trading.place(order(20))
        nursery.start_soon(cut_soon, simulator)
        with pytest.raises(ConnectionLost):
            await use(trading)
        still_open = await trading.open_orders([BTC])
        await trio.sleep(3)
        found = await trading.open_orders([BTC])
    assert (len(still_open), len(found)) == (1, 0)


async def test_the_account_s_standing_is_learned_from_its_stream(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS)
        async with trading.open_private():
            tier = trading.tier
    assert tier.engine.level_max == CONFIG.kraken_limits.orders_max == 125
