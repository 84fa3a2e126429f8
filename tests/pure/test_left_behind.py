"""What an account says of its positions when the fleet stops."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Acknowledged, Fact
from actors.pure.books import Books
from actors.pure.left_behind import left_behind
from tests.words import SYMBOL, attempted, exit_intended, filled, intended, sold

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


def test_a_stop_that_nobody_has_acknowledged_guards_nothing() -> None:
    assert left(*BOUGHT, *RESTS[:2]) == (
        "1 position stays open · guarded by nothing at the exchange: dawn BTC/USDT"
    )


def test_a_position_whose_exit_was_sent_is_told_as_such() -> None:
    sent = exit_intended(), attempted("x1", "s1")
    assert left(*BOUGHT, *sent) == (
        "1 position stays open · exits sent, to be booked at the next start: dawn BTC/USDT"
    )


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
