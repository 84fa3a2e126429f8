"""What holds in the matching engine after any sequence of orders and cancels."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages import OrderStatus, Side
from actors.pure.matching import Engine
from actors.pure.matching_orders import (
    MAKERS,
    Fees,
    Kind,
    Lasting,
    NewOrder,
    Order,
    Pair,
)

PAIR = Pair("BTCUSDT", "BTC", "USDT", Decimal("0.1"))
ACCOUNTS = (MAKERS, "ann", "bob")


@attrs.frozen
class Cancel:
    number: int


@attrs.define
class Resting:
    """One order of the naive matcher."""

    side: Side
    price: Decimal
    number: int
    left: Decimal


new_orders = st.builds(
    NewOrder,
    account=st.sampled_from(ACCOUNTS),
    client_order_id=st.sampled_from([f"c{number}" for number in range(12)]),
    symbol=st.just("BTCUSDT"),
    side=st.sampled_from(Side),
    kind=st.sampled_from([Kind.LIMIT, Kind.LIMIT, Kind.MARKET, Kind.LIMIT_MAKER]),
    base=st.integers(1, 50).map(lambda lots: Decimal(lots) / 10),
    price=st.integers(95, 105).map(Decimal),
    lasting=st.sampled_from([Lasting.GTC, Lasting.GTC, Lasting.IOC, Lasting.FOK]),
)
stops = st.builds(
    NewOrder,
    account=st.sampled_from(ACCOUNTS[1:]),
    client_order_id=st.sampled_from([f"s{number}" for number in range(6)]),
    symbol=st.just("BTCUSDT"),
    side=st.sampled_from(Side),
    kind=st.sampled_from([Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT_LIMIT]),
    base=st.integers(1, 50).map(lambda lots: Decimal(lots) / 10),
    price=st.integers(95, 105).map(Decimal),
    stop_price=st.integers(95, 105).map(Decimal),
)
quoted = st.builds(
    NewOrder,
    account=st.sampled_from(ACCOUNTS[1:]),
    client_order_id=st.just("q"),
    symbol=st.just("BTCUSDT"),
    side=st.sampled_from(Side),
    kind=st.just(Kind.MARKET),
    base=st.just(Decimal(0)),
    quote=st.integers(1, 900).map(Decimal),
)
cancels = st.builds(Cancel, st.integers(0, 30))
scripts = st.lists(st.one_of(new_orders, new_orders, stops, quoted, cancels), max_size=60)


def rich_engine(*, is_in_quote: bool = False) -> Engine:
    engine = Engine([PAIR], Fees(Decimal("0.001"), Decimal("0.002"), is_in_quote))
    for account in ACCOUNTS[1:]:
        engine.deposit(account, "USDT", Decimal(1_000))
        engine.deposit(account, "BTC", Decimal(10))
    return engine


def tidy(new: NewOrder) -> NewOrder:
    """A market order has no limit and never rests."""
    if new.kind is not Kind.MARKET:
        return attrs.evolve(new, lasting=Lasting.GTC) if new.stop_price else new
    return attrs.evolve(new, price=Decimal(0), lasting=Lasting.GTC)


def play(engine: Engine, script: list[NewOrder | Cancel], at_ms: int = 0) -> None:
    for step in script:
        at_ms += 1
        match step:
            case NewOrder():
                engine.place(tidy(step), at_ms)
            case Cancel(number):
                is_open = [order for order in engine.orders.values() if order.is_open]
                if is_open:
                    engine.cancel(is_open[number % len(is_open)], at_ms)


@settings(max_examples=150, deadline=None)
@given(scripts, st.booleans())
def test_no_trade_makes_or_loses_money(
    script: list[NewOrder | Cancel], is_in_quote: bool
) -> None:
    engine = rich_engine(is_in_quote=is_in_quote)

    play(engine, script)

    totals = engine.wallets.total("USDT"), engine.wallets.total("BTC")
    assert totals == (Decimal(2_000), Decimal(20))


@settings(max_examples=150, deadline=None)
@given(scripts, st.booleans())
def test_what_is_locked_is_what_open_orders_can_still_cost(
    script: list[NewOrder | Cancel], is_in_quote: bool
) -> None:
    engine = rich_engine(is_in_quote=is_in_quote)

    play(engine, script)

    for account in ACCOUNTS[1:]:
        locked = {"USDT": Decimal(0), "BTC": Decimal(0)}
        for order in engine.open_orders(account):
            is_buy = order.side is Side.BUY
            price = order.price * (1 + engine.fees.on_top)
            cost = order.remaining * (price if is_buy else 1)
            locked["USDT" if is_buy else "BTC"] += cost
        for asset, amount in locked.items():
            holding = engine.wallets.holding(account, asset)
            assert holding.locked == amount
            assert holding.free >= 0


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_the_book_is_never_crossed_and_its_levels_add_up(
    script: list[NewOrder | Cancel],
) -> None:
    engine = rich_engine()
    book = engine.books["BTCUSDT"]

    for step in script:
        play(engine, [step])

        bid, ask = book.bids.best(), book.asks.best()
        assert bid is None or ask is None or bid < ask
        for side in (book.bids, book.asks):
            assert side.prices() == sorted(side.levels, reverse=side is book.bids)
            for level in side.levels.values():
                assert level.total == sum(o.remaining for o in level.orders.values()) > 0


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_orders_are_the_sum_of_their_fills(script: list[NewOrder | Cancel]) -> None:
    engine = rich_engine()

    play(engine, script)

    for order in engine.orders.values():
        assert order.filled_base == sum(fill.trade.base for fill in order.fills)
        assert order.filled_base <= order.base
        is_full = order.filled_base == order.base and order.status is OrderStatus.FILLED
        assert is_full == (order.status is OrderStatus.FILLED)


@settings(max_examples=200, deadline=None)
@given(scripts)
def test_price_then_time_as_a_naive_matcher_does_it(
    script: list[NewOrder | Cancel],
) -> None:
    """The reference keeps one list and sorts it anew for every order."""
    engine = rich_engine()
    limits = [
        attrs.evolve(step, account=MAKERS, kind=Kind.LIMIT, lasting=Lasting.GTC)
        for step in script
        if isinstance(step, NewOrder) and step.kind is not Kind.MARKET
    ]
    resting: list[Resting] = []
    expected: list[tuple[Decimal, Decimal]] = []
    for number, new in enumerate(limits):
        left, sign = new.base, (1 if new.side is Side.BUY else -1)
        others = [there for there in resting if there.side is not new.side]
        for there in sorted(others, key=lambda there: (sign * there.price, there.number)):
            if left and there.left and sign * (new.price - there.price) >= 0:
                base = min(left, there.left)
                expected.append((there.price, base))
                there.left, left = there.left - base, left - base
        resting.append(Resting(new.side, new.price, number, left))

    for at_ms, new in enumerate(limits):
        engine.place(new, at_ms)

    assert [(t.price, t.base) for t in engine.drain().trades] == expected


@settings(max_examples=100, deadline=None)
@given(scripts)
def test_ids_of_trades_and_updates_only_grow(script: list[NewOrder | Cancel]) -> None:
    engine = rich_engine()
    update_id = engine.books["BTCUSDT"].update_id

    for step in script:
        play(engine, [step])
        assert engine.books["BTCUSDT"].update_id >= update_id
        update_id = engine.books["BTCUSDT"].update_id

    trades = engine.drain().trades
    assert [trade.trade_id for trade in trades] == list(range(1, len(trades) + 1))


def test_no_two_open_orders_share_a_client_order_id() -> None:
    engine = rich_engine()
    new = NewOrder("ann", "c", "BTCUSDT", Side.BUY, Kind.LIMIT, Decimal(1), Decimal(95))

    results = [engine.place(new, at_ms) for at_ms in range(3)]

    assert [isinstance(result, Order) for result in results] == [True, False, False]
