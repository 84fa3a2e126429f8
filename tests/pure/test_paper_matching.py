"""What becomes of a paper order in the market that is seen."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    BookDelta,
    BookSnapshot,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    Traded,
)
from actors.pure.paper_account import KEEP_MS, PaperAccount
from actors.pure.paper_matching import PaperFees, follow, place, refusal
from actors.pure.paper_sight import Sight
from actors.pure.paper_words import (
    PaperEnded,
    PaperFact,
    PaperFilled,
    PaperOpened,
    PaperPlaced,
    PaperTriggered,
    decode,
    encode,
    kind_of,
)
from tests.words import BTC, SYMBOL, Money, ticker

FEES = PaperFees(maker=Decimal("0.001"), taker=Decimal("0.002"))
BOOK = (("100", "1"), ("101", "2"), ("103", "5"))
BIDS = (("99", "1"), ("98", "4"))
COINS = attrs.evolve(
    BTC, lot=Decimal("0.001"), base_min=Decimal("0.001"), tick=Decimal("0.01"),
    quote_min=Decimal(1),
)  # fmt: skip


def levels(pairs: Iterable[tuple[Money, Money]]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(base)) for price, base in pairs)


def sight(*, has_book: bool = True) -> Sight:
    seen = Sight.of("binance", SYMBOL)
    seen.hear(ticker("100", bid=Decimal(99), ask=Decimal(100)))
    if has_book:
        seen.hear(BookSnapshot("binance", SYMBOL, 7, levels(BIDS), levels(BOOK), 0.0))
    return seen


def changed(
    seen: Sight, number: int, *, asks: Iterable[tuple[Money, Money]] = (), bids: Any = ()
) -> None:
    change = BookDelta("binance", SYMBOL, number, number, levels(bids), levels(asks), 0)
    seen.hear(change)


def traded(price: Money, base: Money) -> Traded:
    return Traded("binance", SYMBOL, 1, Decimal(price), Decimal(base), Side.SELL, 1000, 0.0)


def request(
    side: Side = Side.BUY,
    base: Money = 2,
    limit: Money | None = None,
    stop: Money | None = None,
    kind: OrderType = OrderType.MARKET,
    order_id: str = "c1",
) -> OrderRequest:
    prices = (None if each is None else Decimal(each) for each in (limit, stop))
    return OrderRequest(order_id, SYMBOL, side, kind, Decimal(base), *prices)


def account(**balances: Money) -> PaperAccount:
    found = PaperAccount()
    held = balances or {"USDT": 10_000, "BTC": 10}
    opened = {asset: Decimal(amount) for asset, amount in held.items()}
    found.apply(PaperOpened("binance", opened))
    return found


def put(owner: PaperAccount, seen: Sight, wanted: OrderRequest) -> list[PaperFact]:
    facts = place(wanted, COINS, owner, seen, FEES, 1000)
    return applied(owner, facts)


def applied(owner: PaperAccount, facts: Iterable[PaperFact]) -> list[PaperFact]:
    """Apply facts as they come back from the file."""
    found = [decode(kind_of(fact), encode(fact)) for fact in facts]
    for fact in found:
        owner.apply(fact)
    return found


def fills(facts: Iterable[PaperFact]) -> list[tuple[Decimal, Decimal]]:
    return [(it.price, it.base) for it in facts if isinstance(it, PaperFilled)]


def test_a_market_order_walks_the_book_and_pays_the_taker_fee() -> None:
    owner = account()
    facts = put(owner, sight(), request())
    assert fills(facts) == [(Decimal(100), Decimal(1)), (Decimal(101), Decimal(1))]
    assert owner.totals == {"USDT": Decimal(9_799), "BTC": Decimal("11.996")}
    assert owner.orders["c1"].status is OrderStatus.FILLED


def test_a_market_order_larger_than_the_book_expires_with_what_it_got() -> None:
    owner = account()
    facts = put(owner, sight(), request(base=9))
    assert fills(facts)[-1] == (Decimal(103), Decimal(5))
    assert isinstance(facts[-1], PaperEnded)
    assert (owner.orders["c1"].status, owner.orders["c1"].filled_base) == (
        OrderStatus.EXPIRED,
        Decimal(8),
    )


def test_without_a_book_the_ticker_fills_all() -> None:
    owner = account()
    facts = put(owner, sight(has_book=False), request(Side.SELL, 5))
    assert fills(facts) == [(Decimal(99), Decimal(5))]
    assert owner.totals["USDT"] == Decimal("10494.01")


def test_what_was_taken_of_a_level_is_gone_until_the_venue_empties_it() -> None:
    owner, seen = account(), sight()
    put(owner, seen, request(base=1))
    again = put(owner, seen, request(base=1, order_id="c2"))
    assert fills(again) == [(Decimal(101), Decimal(1))]
    changed(seen, 8, asks=[("100", "3")])  # two more came
    third = put(owner, seen, request(base=3, order_id="c3"))
    assert fills(third) == [(Decimal(100), Decimal(2)), (Decimal(101), Decimal(1))]
    changed(seen, 9, asks=[("100", "0")])
    changed(seen, 10, asks=[("100", "1")])
    assert seen.take(Side.BUY, Decimal(100), Decimal(5)) == [(Decimal(100), Decimal(1))]


def test_a_limit_order_takes_what_crosses_and_rests_with_its_money_reserved() -> None:
    owner = account()
    facts = put(owner, sight(), request(base=3, limit="100.5", kind=OrderType.LIMIT))
    assert fills(facts) == [(Decimal(100), Decimal(1))]
    assert owner.orders["c1"].status is OrderStatus.PARTIALLY_FILLED
    assert owner.free("USDT") == Decimal(10_000) - 100 - 2 * Decimal("100.5")


def test_a_resting_order_is_filled_at_its_limit_by_as_much_as_comes() -> None:
    owner, seen = account(), sight()
    put(owner, seen, request(base=2, limit="99.5", kind=OrderType.LIMIT))
    assert follow(owner, seen, FEES, 1001) == ()
    changed(seen, 8, asks=[("99.2", "0.5")])
    facts = applied(owner, follow(owner, seen, FEES, 1002))
    assert fills(facts) == [(Decimal("99.5"), Decimal("0.5"))]
    assert follow(owner, seen, FEES, 1003) == ()  # the same half is not sold twice
    assert owner.orders["c1"].remaining == Decimal("1.5")
    assert owner.fills[-1].is_maker
    assert owner.fills[-1].fee == Decimal("0.0005")


@pytest.mark.parametrize(
    ("price", "filled"), [("99.49", "0.3"), ("99.5", None), ("99.6", None)]
)
def test_a_trade_beyond_the_limit_fills_and_one_at_it_does_not(
    price: str, filled: str | None
) -> None:
    owner, seen = account(), sight()
    put(owner, seen, request(base=2, limit="99.5", kind=OrderType.LIMIT))
    facts = follow(owner, seen, FEES, 1001, traded(price, "0.3"))
    assert fills(facts) == ([(Decimal("99.5"), Decimal(filled))] if filled else [])


def test_one_trade_is_shared_by_the_orders_it_passes() -> None:
    owner, seen = account(), sight()
    for order_id in ("c1", "c2"):
        put(owner, seen, request(base=2, limit="99.5", kind=OrderType.LIMIT,
                                 order_id=order_id))  # fmt: skip
    facts = applied(owner, follow(owner, seen, FEES, 1001, traded("99", "3")))
    assert [base for _, base in fills(facts)] == [Decimal(2), Decimal(1)]
    assert [fill.trade_id for fill in owner.fills] == ["1", "2"]


@pytest.mark.parametrize(
    ("kind", "side", "stop", "limit", "reached"),
    [
        (OrderType.STOP_LOSS_LIMIT, Side.SELL, "95", "94", "95"),
        (OrderType.STOP_LOSS_LIMIT, Side.BUY, "105", "106", "105"),
        (OrderType.TAKE_PROFIT_LIMIT, Side.SELL, "105", "90", "105"),
        (OrderType.TAKE_PROFIT_LIMIT, Side.BUY, "95", "102", "95"),
    ],
)
def test_a_stop_price_wakes_an_order_and_it_takes_what_it_may(
    kind: OrderType, side: Side, stop: str, limit: str, reached: str
) -> None:
    owner, seen = account(), sight()
    put(owner, seen, request(side, 1, limit, stop, kind))
    assert follow(owner, seen, FEES, 1001) == ()
    seen.hear(traded(reached, 1))
    facts = follow(owner, seen, FEES, 1002)
    assert isinstance(facts[0], PaperTriggered)
    assert fills(facts) == [(Decimal(100 if side is Side.BUY else 99), Decimal(1))]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (request(base="0.0005"), "filters"),
        (request(base="1.0005"), "filters"),
        (request(limit="99", kind=OrderType.MARKET), "filters"),
        (request(limit="99.001", kind=OrderType.LIMIT), "filters"),
        (request(base="0.001", limit="99", kind=OrderType.LIMIT), "filters"),
        (request(limit="100", kind=OrderType.LIMIT_MAKER), "would_match"),
        (request(Side.SELL, 1, "99", kind=OrderType.LIMIT_MAKER), "would_match"),
        (request(Side.SELL, 1, "99", "101", OrderType.STOP_LOSS_LIMIT), "would_trigger"),
        (request(base=200, limit="99", kind=OrderType.LIMIT), "insufficient_balance"),
        (request(Side.SELL, 11), "insufficient_balance"),
        (request(Side.SELL, 10), None),
        (request(limit="99.99", kind=OrderType.LIMIT_MAKER), None),
    ],
)
def test_what_the_exchange_would_refuse_is_refused(
    wanted: OrderRequest, code: str | None
) -> None:
    refused = refusal(wanted, COINS, account(), sight())
    assert (refused and refused[0]) == code


def test_nothing_is_matched_before_a_price_is_seen() -> None:
    blind = Sight.of("binance", SYMBOL)
    assert refusal(request(), COINS, account(), blind) == (
        "no_price",
        f"no price of {SYMBOL} is known",
    )


def test_what_an_order_has_reserved_is_not_spent_twice() -> None:
    owner, seen = account(USDT=150), sight()
    put(owner, seen, request(base=1, limit="98", kind=OrderType.LIMIT))
    refused = refusal(request(base=1, order_id="c2"), COINS, owner, seen)
    assert refused == ("insufficient_balance", "needs 100 USDT, 52 are free")
    applied(owner, [PaperEnded("c1", OrderStatus.CANCELED, "", 1001)])
    assert refusal(request(base=1, order_id="c2"), COINS, owner, seen) is None


def test_what_ended_a_week_ago_is_forgotten_and_what_rests_is_not() -> None:
    owner, seen = account(), sight()
    put(owner, seen, request(base=1))
    put(owner, seen, request(base=1, limit="90", kind=OrderType.LIMIT, order_id="c2"))
    owner.forget(1000 + KEEP_MS + 1)
    assert (list(owner.orders), owner.fills) == (["c2"], [])
    assert owner.totals["BTC"] == Decimal("10.998")


prices = st.decimals("90", "110", places=2)
bases = st.decimals("0.001", "4", places=3)
steps = st.lists(
    st.tuples(st.sampled_from(["buy", "sell", "ask", "bid", "trade"]), prices, bases),
    max_size=25,
)


@given(steps)
def test_money_moves_and_never_appears_and_no_order_gets_too_much(
    walk: list[tuple[str, Decimal, Decimal]],
) -> None:
    owner, seen, told = account(USDT=500, BTC=3), sight(), list[PaperFact]()
    for number, (what, price, base) in enumerate(walk):
        heard = None
        if what in {"buy", "sell"}:
            side = Side.BUY if what == "buy" else Side.SELL
            wanted = request(side, base, price, None, OrderType.LIMIT, f"c{number}")
            if refusal(wanted, COINS, owner, seen) is None:
                told += put(owner, seen, wanted)
        elif what == "trade":
            heard = traded(price, base)
            seen.hear(heard)
        else:
            side_of = {"asks" if what == "ask" else "bids": [(price, base)]}
            changed(seen, 8 + number, **side_of)
        told += applied(owner, follow(owner, seen, FEES, 1000 + number, heard))
        assert all(balance.free >= 0 for balance in owner.balances())
        assert all(order.remaining >= 0 for order in owner.orders.values())
    _check_sums(owner, told)


def _check_sums(owner: PaperAccount, told: list[PaperFact]) -> None:
    base, quote = Decimal(3), Decimal(500)
    sides = {it.request.client_order_id: it.request.side for it in told
             if isinstance(it, PaperPlaced)}  # fmt: skip
    for fact in told:
        if isinstance(fact, PaperFilled):
            sign = 1 if sides[fact.client_order_id] is Side.BUY else -1
            base += sign * fact.base - (fact.fee if fact.fee_asset == "BTC" else 0)
            quote -= sign * fact.base * fact.price
            quote -= fact.fee if fact.fee_asset == "USDT" else 0
    assert (owner.totals["BTC"], owner.totals["USDT"]) == (base, quote)
