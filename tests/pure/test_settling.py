"""An operator's word on an order: after the venue's own, never too early (R-02, I-10)."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from actors.messages import (
    Acknowledged,
    Asked,
    Attempted,
    Ended,
    Fact,
    Filled,
    OrderStatus,
    OutcomeUnknown,
    Side,
    VenueFill,
    VenueOrder,
)
from actors.pure.commands import NotPossible
from actors.pure.order_life import Order, begin, step
from actors.pure.settling import VenueWord, is_settled_fill, settled
from tests.words import SYMBOL, attempted, ended, filled, intended

SENT_MS = 1_000_000
LATER_MS = SENT_MS + 20_000
UNKNOWN = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "time-out")
NOTHING = VenueWord()
HELD = VenueOrder(
    "binance",
    SYMBOL,
    "c1",
    "v1",
    Side.BUY,
    "LIMIT",
    OrderStatus.OPEN,
    Decimal(1),
    Decimal(0),
    None,
    None,
    0,
)
EXECUTED = VenueFill(
    "binance",
    SYMBOL,
    "c1",
    "v1",
    "t1",
    Side.BUY,
    Decimal(100),
    Decimal("0.4"),
    Decimal(0),
    "USDT",
    is_maker=False,
    trade_ms=0,
)


def order(*facts: Filled | Ended | OutcomeUnknown | Acknowledged) -> Order:
    told: Attempted = attempted(attempt_ms=SENT_MS)
    made = begin(intended(), told)
    for fact in facts:
        made = step(made, fact)
    return made


def settle(
    of: Order,
    outcome: str = "not-placed",
    word: VenueWord | None = NOTHING,
    *,
    price: str = "",
    now_ms: int = LATER_MS,
) -> tuple[Fact, ...]:
    asked = Asked("settle", "c1", "seen on the web", "ann", outcome=outcome, price=price)
    return settled(
        of,
        asked,
        word,
        exchange="binance",
        age_s=(now_ms - of.attempt_ms) / 1000,
        now_ms=now_ms,
    )


LACKING = order(ended(OrderStatus.CANCELED, "0.4"))  # and no fill of it was told


def test_executions_that_the_venue_never_tells_are_settled_at_the_operators_price() -> None:
    """R-12: until they are known the order bars its bot, and nothing else ends that."""
    (fill,) = settle(LACKING, "filled", None, price="100")
    assert isinstance(fill, Filled)
    assert (fill.base, fill.price) == (Decimal("0.4"), 100)
    settled_so = step(LACKING, fill)
    assert (settled_so.missing_base, is_settled_fill(settled_so)) == (0, True)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("not-placed", OrderStatus.NOT_PLACED), ("canceled", OrderStatus.CANCELED)],
)
def test_an_order_that_nobody_knows_ends_as_the_operator_says(
    outcome: str, status: OrderStatus
) -> None:
    facts = settle(order(UNKNOWN), outcome)
    assert facts == (
        attrs.evolve(ended(status), code="settled", reason="ann: seen on the web"),
    )


def test_an_order_of_which_nobody_ever_said_a_word_may_be_settled_after_a_minute() -> None:
    (fact,) = settle(order(), "not-placed", now_ms=LATER_MS + 40_000)
    assert isinstance(fact, Ended)
    assert fact.status is OrderStatus.NOT_PLACED
    with pytest.raises(NotPossible, match="ask again in 1 s"):
        settle(order(), "not-placed", now_ms=LATER_MS + 39_000)


def test_what_was_filled_before_stays_filled() -> None:
    part = order(Acknowledged("dawn", "main", SYMBOL, "c1", "v1"), filled("0.4", 100))
    (fact,) = settle(part, "canceled")
    assert isinstance(fact, Ended)
    assert fact.filled_base == Decimal("0.4")


def test_unasked_it_may_be_settled_as_filled_at_a_price() -> None:
    facts = settle(order(UNKNOWN), "filled", None, price="99.5")
    bought, end = facts
    assert isinstance(bought, Filled)
    assert isinstance(end, Ended)
    assert (bought.base, bought.price, end.filled_base) == (1, Decimal("99.5"), 1)
    after = step(step(order(UNKNOWN), bought), end)
    assert (after.status, after.missing_base) == (OrderStatus.FILLED, 0)
    assert is_settled_fill(after)


@pytest.mark.parametrize(
    ("of", "changes", "said"),
    [
        (order(UNKNOWN), {"word": VenueWord(HELD)}, "it is open, 0 of 1 filled"),
        (order(UNKNOWN), {"word": VenueWord(None, (EXECUTED,))}, "0.4 of it was executed"),
        (order(UNKNOWN), {"word": VenueWord(doubt="0.4 executed")}, "0.4 executed: see"),
        (order(UNKNOWN), {"now_ms": LATER_MS - 1}, "may still be on its way"),
        (order(UNKNOWN), {"now_ms": LATER_MS - 1, "word": None}, "may still be on its way"),
        (order(), {}, "may still be on its way"),
        (order(ended(OrderStatus.CANCELED)), {}, "has ended already: canceled"),
        (LACKING, {}, "executions of 0.4 of it are not known"),
        (LACKING, {"outcome": "canceled", "word": None}, "--blind --as filled --price"),
        (LACKING, {"outcome": "filled"}, "--blind --as filled --price"),
        (order(UNKNOWN), {"outcome": "lost"}, "settle it as one of not-placed, canceled"),
        (order(UNKNOWN), {"outcome": "filled"}, "with --blind only"),
        (order(UNKNOWN), {"outcome": "filled", "word": None}, "needs its price"),
        (
            order(UNKNOWN),
            {"outcome": "filled", "word": None, "price": "NaN"},
            "needs its price",
        ),
        (
            order(Acknowledged("dawn", "main", SYMBOL, "c1", "v1")),
            {},
            "the exchange had c1: settle it as canceled or filled",
        ),
    ],
)
def test_what_is_not_settled_and_why(
    of: Order, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(NotPossible, match=said):
        settle(of, **changes)  # type: ignore[arg-type]  # as the table says
