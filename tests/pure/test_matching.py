"""The matching engine, order by order."""

from __future__ import annotations

from decimal import Decimal

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
    Rejection,
    Step,
)

BTC = Pair("BTCUSDT", "BTC", "USDT", Decimal("0.001"))


def engine_with(
    *makers: tuple[Side, str, str], fee: str = "0.001", is_in_quote: bool = False
) -> Engine:
    engine = Engine([BTC], Fees(Decimal(fee), Decimal(fee), is_in_quote))
    engine.deposit("ann", "USDT", Decimal(10_000))
    engine.deposit("ann", "BTC", Decimal(10))
    for side, price, base in makers:
        engine.place(order(side, price, base, account=MAKERS), 0)
    engine.drain()
    return engine


def order(
    side: Side,
    price: str,
    base: str,
    *,
    account: str = "ann",
    client: str = "c1",
    kind: Kind = Kind.LIMIT,
    stop: str = "0",
    quote: str = "0",
    lasting: Lasting = Lasting.GTC,
) -> NewOrder:
    return NewOrder(
        account,
        client,
        "BTCUSDT",
        side,
        kind,
        Decimal(base),
        Decimal(price),
        Decimal(stop),
        Decimal(quote),
        lasting,
    )


def placed(engine: Engine, new: NewOrder) -> Order:
    result = engine.place(new, 7)
    assert isinstance(result, Order)
    return result


def held(engine: Engine, asset: str) -> tuple[Decimal, Decimal]:
    holding = engine.wallets.holding("ann", asset)
    return holding.free, holding.locked


def test_a_taker_trades_at_the_makers_price_best_first() -> None:
    engine = engine_with((Side.SELL, "101", "1"), (Side.SELL, "100", "1"))

    placed(engine, order(Side.BUY, "105", "1.5"))

    trades = engine.drain().trades
    assert [(t.price, t.base) for t in trades] == [
        (Decimal(100), Decimal(1)),
        (Decimal(101), Decimal("0.5")),
    ]


def test_the_older_order_of_one_price_trades_first() -> None:
    engine = engine_with((Side.BUY, "99", "1"))
    late = placed(engine, order(Side.BUY, "99", "1"))

    engine.place(order(Side.SELL, "99", "1.5", account=MAKERS), 8)

    assert late.filled_base == Decimal("0.5")


def test_a_resting_buy_locks_its_quote_and_a_cancel_frees_it() -> None:
    engine = engine_with()
    resting = placed(engine, order(Side.BUY, "100", "2"))
    locked = held(engine, "USDT")

    engine.cancel(resting, 9)

    assert (locked, held(engine, "USDT")) == (
        (Decimal(9_800), Decimal(200)),
        (Decimal(10_000), Decimal(0)),
    )


def test_a_fee_in_quote_is_locked_with_the_price_and_freed_with_it() -> None:
    engine = engine_with(fee="0.01", is_in_quote=True)
    resting = placed(engine, order(Side.BUY, "100", "2"))
    locked = held(engine, "USDT")

    engine.cancel(resting, 9)

    assert (locked, held(engine, "USDT")) == (
        (Decimal(9_798), Decimal(202)),
        (Decimal(10_000), Decimal(0)),
    )


def test_a_buyer_pays_a_fee_in_quote_on_top_and_receives_the_whole_base() -> None:
    engine = engine_with((Side.SELL, "90", "1"), fee="0.01", is_in_quote=True)

    bought = placed(engine, order(Side.BUY, "100", "1"))

    assert (bought.fills[0].fee, bought.fills[0].fee_asset) == (Decimal("0.9"), "USDT")
    assert held(engine, "USDT") == (Decimal("9909.1"), Decimal(0))
    assert held(engine, "BTC") == (Decimal(11), Decimal(0))


def test_a_market_order_sized_in_quote_spends_no_more_than_its_size_with_the_fee() -> None:
    engine = engine_with((Side.SELL, "100", "9"), fee="0.01", is_in_quote=True)

    bought = placed(engine, order(Side.BUY, "0", "0", kind=Kind.MARKET, quote="101"))

    assert (bought.filled_base, bought.status) == (Decimal(1), OrderStatus.FILLED)
    assert held(engine, "USDT") == (Decimal(9_899), Decimal(0))


def test_a_buyer_who_cannot_pay_the_fee_on_top_is_refused() -> None:
    engine = engine_with((Side.SELL, "100", "900"), fee="0.01", is_in_quote=True)
    market = order(Side.BUY, "0", "100", kind=Kind.MARKET)

    refused = engine.place(order(Side.BUY, "100", "100"), 7), engine.place(market, 7)

    assert refused == (Rejection.INSUFFICIENT_BALANCE, Rejection.INSUFFICIENT_BALANCE)


def test_an_amended_order_rests_at_its_new_price_behind_the_others() -> None:
    engine = engine_with((Side.BUY, "98", "1"))
    resting = placed(engine, order(Side.BUY, "99", "1"))

    is_amended = engine.amend(resting, Decimal(2), Decimal(98), 9)
    engine.place(order(Side.SELL, "98", "1.5", account=MAKERS), 10)

    assert (is_amended, resting.filled_base, resting.remaining) == (
        True, Decimal("0.5"), Decimal("1.5"),
    )  # fmt: skip
    assert held(engine, "USDT") == (Decimal(9804), Decimal(147))


def test_an_amended_order_takes_what_it_crosses_now() -> None:
    engine = engine_with((Side.SELL, "100", "1"))
    resting = placed(engine, order(Side.BUY, "90", "1"))

    engine.amend(resting, Decimal(1), Decimal(100), 9)

    assert resting.status is OrderStatus.FILLED
    assert held(engine, "USDT") == (Decimal(9_900), Decimal(0))


def test_an_amendment_that_cannot_be_paid_changes_nothing() -> None:
    engine = engine_with()
    resting = placed(engine, order(Side.BUY, "90", "1"))

    is_amended = engine.amend(resting, Decimal(200), Decimal(90), 9)

    assert (is_amended, resting.base, resting.status) == (
        False, Decimal(1), OrderStatus.OPEN,
    )  # fmt: skip
    assert held(engine, "USDT") == (Decimal(9_910), Decimal(90))


def test_a_better_price_gives_back_what_the_limit_had_locked() -> None:
    engine = engine_with((Side.SELL, "90", "1"), fee="0")

    placed(engine, order(Side.BUY, "100", "1"))

    assert held(engine, "USDT") == (Decimal(9_910), Decimal(0))


def test_the_fee_is_taken_from_what_is_received() -> None:
    engine = engine_with((Side.SELL, "100", "1"), (Side.BUY, "99", "1"))

    placed(engine, order(Side.BUY, "0", "1", kind=Kind.MARKET))
    placed(engine, order(Side.SELL, "0", "1", client="c2", kind=Kind.MARKET))

    assert (held(engine, "BTC")[0], held(engine, "USDT")[0]) == (
        Decimal("9.999"),
        Decimal("9998.901"),
    )


def test_a_market_order_expires_with_what_the_book_cannot_give() -> None:
    engine = engine_with((Side.SELL, "100", "1"))

    rest = placed(engine, order(Side.BUY, "0", "3", kind=Kind.MARKET))

    assert (rest.status, rest.filled_base) == (OrderStatus.EXPIRED, Decimal(1))


def test_a_market_order_may_be_sized_in_quote() -> None:
    engine = engine_with((Side.SELL, "100", "1"), (Side.SELL, "200", "1"))

    bought = placed(engine, order(Side.BUY, "0", "0", kind=Kind.MARKET, quote="150"))

    assert (bought.status, bought.base) == (OrderStatus.FILLED, Decimal("1.25"))


def test_fill_or_kill_takes_all_or_nothing() -> None:
    engine = engine_with((Side.SELL, "100", "1"))

    killed = placed(engine, order(Side.BUY, "100", "2", lasting=Lasting.FOK))

    assert (killed.status, killed.filled_base) == (OrderStatus.EXPIRED, Decimal(0))


def test_immediate_or_cancel_keeps_nothing_in_the_book() -> None:
    engine = engine_with((Side.SELL, "100", "1"))

    taken = placed(engine, order(Side.BUY, "100", "2", lasting=Lasting.IOC))

    assert (taken.filled_base, held(engine, "USDT")[1]) == (Decimal(1), Decimal(0))


def test_a_client_order_id_is_refused_only_while_its_order_is_open() -> None:
    engine = engine_with()
    first = placed(engine, order(Side.BUY, "10", "1"))
    refused = engine.place(order(Side.BUY, "10", "1"), 8)
    engine.cancel(first, 9)

    placed(engine, order(Side.BUY, "10", "1"))

    assert (refused, len(engine.by_client["ann", "c1"])) == (Rejection.DUPLICATE, 2)


def test_a_post_only_order_never_takes() -> None:
    engine = engine_with((Side.SELL, "100", "1"))

    refused = engine.place(order(Side.BUY, "100", "1", kind=Kind.LIMIT_MAKER), 8)

    assert refused is Rejection.WOULD_MATCH


def test_an_order_that_cannot_be_paid_is_refused() -> None:
    engine = engine_with((Side.SELL, "100", "200"))

    limit = engine.place(order(Side.BUY, "100", "101"), 8)
    market = engine.place(order(Side.BUY, "0", "101", kind=Kind.MARKET), 8)
    sale = engine.place(order(Side.SELL, "100", "11"), 8)

    assert {limit, market, sale} == {Rejection.INSUFFICIENT_BALANCE}


def test_a_stop_waits_until_the_price_falls_to_it_then_works_as_a_limit() -> None:
    engine = engine_with((Side.BUY, "100", "1"), (Side.BUY, "89", "5"))
    engine.tell_last("BTCUSDT", Decimal(100), 1)
    stop = placed(engine, order(Side.SELL, "85", "2", kind=Kind.STOP_LOSS_LIMIT, stop="90"))
    was = stop.status, stop.working_ms

    engine.tell_last("BTCUSDT", Decimal(90), 9)

    steps = [report.step for report in engine.drain().reports]
    assert was == (OrderStatus.OPEN, -1)
    assert stop.status is OrderStatus.FILLED
    assert steps == [Step.NEW, Step.TRIGGERED, Step.TRADE, Step.TRADE]


def test_a_stop_that_would_fire_at_once_is_refused() -> None:
    engine = engine_with()
    engine.tell_last("BTCUSDT", Decimal(100), 1)

    sell = engine.place(
        order(Side.SELL, "99", "1", kind=Kind.STOP_LOSS_LIMIT, stop="100"), 8
    )
    buy = engine.place(
        order(Side.BUY, "101", "1", kind=Kind.STOP_LOSS_LIMIT, stop="100"), 8
    )

    assert (sell, buy) == (Rejection.WOULD_TRIGGER, Rejection.WOULD_TRIGGER)


def test_every_level_change_has_an_update_id_and_reaches_the_watchers() -> None:
    engine = engine_with()
    book = engine.books["BTCUSDT"]
    before, changes = book.update_id, book.watch()

    placed(engine, order(Side.BUY, "99", "1"))
    engine.place(order(Side.SELL, "99", "1", account=MAKERS), 8)

    assert (book.update_id - before, changes.bids, changes.asks) == (
        2,
        {Decimal(99)},
        set[Decimal](),
    )
