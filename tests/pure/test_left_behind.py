"""What an account says of its positions when the fleet stops."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import (
    Acknowledged,
    Fact,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
)
from actors.pure.books import Books
from actors.pure.left_behind import left_behind
from tests.words import (
    SYMBOL,
    attempted,
    ended,
    exit_intended,
    filled,
    intended,
    sold,
)

BOUGHT = (intended(), attempted(), filled(1, 100))
STOP = exit_intended(stop_price=Decimal("98.50"), limit_price=Decimal(98))
RESTS = (STOP, attempted("x1", "s1"), Acknowledged("dawn", "main", SYMBOL, "s1", "v"))


def left(*facts: Fact) -> str:
    books = Books()
    for fact in facts:
        books.apply(fact)
    return left_behind(books)


def test_an_account_that_holds_nothing_leaves_nothing() -> None:
    assert left(intended(), attempted()) == ""


def test_a_position_with_a_resting_stop_is_named_with_its_trigger() -> None:
    assert left(*BOUGHT, *RESTS) == (
        "1 position stays open · guarded by a stop at the exchange: dawn BTC/USDT 98.5"
    )


UNSURE = "1 position stays open · exits sent, nobody knows yet whether they arrived"
LEAVING = (
    "1 position stays open · exits sent, to be booked at the next start: dawn BTC/USDT"
)
BARE = "1 position stays open · guarded by nothing at the exchange: dawn BTC/USDT"
SENT = exit_intended(intent_id="x2"), attempted("x2", "s2")
TAKEN = *SENT, Acknowledged("dawn", "main", SYMBOL, "s2", "w")


def test_a_stop_that_nobody_has_acknowledged_is_no_guard_yet() -> None:
    assert left(*BOUGHT, *RESTS[:2]) == f"{UNSURE}: dawn BTC/USDT"


def test_a_position_whose_exit_was_taken_is_told_as_such() -> None:
    assert left(*BOUGHT, *TAKEN) == LEAVING


def test_an_exit_of_which_nobody_has_heard_promises_nothing() -> None:
    unknown = OutcomeUnknown("dawn", "main", SYMBOL, "s2", "cut off")
    assert (
        left(*BOUGHT, *SENT) == left(*BOUGHT, *SENT, unknown) == f"{UNSURE}: dawn BTC/USDT"
    )


def test_a_stop_whose_place_an_exit_may_have_taken_is_no_guard() -> None:
    intended = exit_intended(intent_id="x2", replaces="s1")
    assert left(*BOUGHT, *RESTS, intended, *SENT[1:]) == f"{UNSURE}: dawn BTC/USDT"


def test_an_exit_that_sells_only_a_part_does_not_end_a_position() -> None:
    intended = exit_intended(intent_id="x2", base=Decimal("0.5"))
    assert left(*BOUGHT, intended, *TAKEN[1:]) == BARE


def test_a_sale_that_rests_at_its_price_is_no_guard() -> None:
    """As one that was adopted."""
    intended = exit_intended(
        intent_id="x2", order_type=OrderType.LIMIT, limit_price=Decimal(500)
    )
    assert left(*BOUGHT, intended, *TAKEN[1:]) == BARE


def test_an_exit_that_has_ended_before_its_fills_were_told_was_executed() -> None:
    assert left(*BOUGHT, *TAKEN, ended(OrderStatus.FILLED, "1", "s2")) == LEAVING


def test_a_position_that_was_sold_is_not_named() -> None:
    """Whether or not anybody still had the time to close it in the ledger."""
    sent = exit_intended(), attempted("x1", "s1"), sold(1, 101, client_order_id="s1")
    assert left(*BOUGHT, *sent) == ""


def test_many_positions_are_counted() -> None:
    facts: list[Fact] = []
    for n in range(8):
        facts += [
            intended(bot=f"b{n}", intent_id=f"i{n}"),
            attempted(f"i{n}", f"c{n}", bot=f"b{n}"),
            filled(1, 100, bot=f"b{n}", client_order_id=f"c{n}", trade_id=f"t{n}"),
        ]
    said = left(*facts)
    assert said.startswith("8 positions stay open · guarded by nothing at the exchange: b0")
    assert said.endswith("b4 BTC/USDT and 3 more")
