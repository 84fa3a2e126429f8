"""What the checkers of the ledger say of ledgers that were doctored to break a rule."""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal

import attrs
import pytest

from actors.messages import (
    Acknowledged,
    Fact,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    Purpose,
    Refused,
)
from actors.messages.orders import ExitReason
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.ledger_rules import LedgerRules, Money
from tests.words import SYMBOL, attempted, ended, exit_intended, filled, intended, sold

RUN = "e/r"
ENTRY = f"{RUN}/bot:dawn/1/1"
MONEY = Money(Decimal(150), {"dawn": Decimal(1000), "dusk": Decimal(120)})


LEFT = frozenset(f"c{number}" for number in range(100))


def judged(*facts: Fact, decided: int = 9, left: Container[str] = LEFT) -> list[str]:
    times = {("r", "dawn"): decided, ("r", "dusk"): decided}
    rules = LedgerRules(MONEY, times, left)
    for fact in facts:
        rules.take(fact)
    return numbers(rules.said)


def numbers(said: list[str]) -> list[str]:
    return [each.partition(":")[0] for each in said]


def entry(number: int, bot: str = "dawn", base: str = "1") -> tuple[Fact, Fact]:
    intent_id, order_id = f"{RUN}/bot:{bot}/1/{number}", f"c{number}"
    return (
        intended(intent_id=intent_id, bot=bot, base=Decimal(base)),
        attempted(intent_id, order_id, bot=bot),
    )


def unknown(order_id: str) -> OutcomeUnknown:
    return OutcomeUnknown("dawn", "main", SYMBOL, order_id, "no answer")


def refused(
    purpose: Purpose, code: str, intent_id: str = "e/r/positions:main/1/1"
) -> Refused:
    return Refused("dawn", "main", SYMBOL, intent_id, purpose, code, ("why",))


def test_a_ledger_in_order_is_not_blamed() -> None:
    facts = *entry(1), filled(1, 100), ended(OrderStatus.FILLED, "1")
    closed = PositionClosed(
        "dawn",
        "main",
        SYMBOL,
        "c1",
        ExitReason.SIGNAL,
        Decimal(1),
        Decimal(0),
        Decimal(0),
        "",
    )
    sale = exit_intended(intent_id=f"{RUN}/bot:dawn/1/2")
    assert judged(*facts, sale, sold(1, 100), closed, *entry(3)) == []


def test_one_decision_with_two_orders_is_seen() -> None:
    assert judged(*entry(1), ended(OrderStatus.REJECTED), *entry(2), decided=1) == ["I-9"]


def test_a_decision_whose_first_order_never_left_is_asked_for_again() -> None:
    unsent = ended(OrderStatus.NOT_PLACED, "0", "c1")
    facts = *entry(1), unsent, *entry(2)
    assert judged(*facts, decided=1, left={"c2"}) == []


def test_an_intent_told_twice_is_seen() -> None:
    assert judged(entry(1)[0], entry(1)[0]) == ["I-9"]


def test_an_intent_both_refused_and_begun_is_seen() -> None:
    no = refused(Purpose.ENTRY, "open_entry", ENTRY)
    assert judged(no, entry(1)[0]) == judged(entry(1)[0], no) == ["I-9"]


@pytest.mark.parametrize("code", ["exposure_percent_max", "risk_down", "paused", "halted"])
def test_an_exit_refused_for_a_limit_is_seen(code: str) -> None:
    assert judged(refused(Purpose.EXIT, code)) == ["I-12"]
    assert judged(refused(Purpose.ENTRY, code)) == []


def test_an_entry_above_the_limit_is_seen() -> None:
    assert judged(*entry(1), filled(1, 100), *entry(2, "dusk")) == ["I-17"]


def test_an_order_whose_outcome_is_unknown_counts_as_live() -> None:
    assert judged(*entry(1), unknown("c1"), *entry(2, "dusk")) == ["I-17"]
    assert judged(*entry(1), ended(OrderStatus.NOT_PLACED), *entry(2, "dusk")) == []


def test_a_bot_above_its_own_capital_is_seen() -> None:
    assert judged(*entry(1, "dusk", "1.3")) == ["I-17"]


# The other fold over the ledger: what orders may do at all.


def kept(*facts: Fact, sent: tuple[str, ...] = ("c1", "cx1")) -> list[str]:
    books = BookKeeping(dict.fromkeys(sent, 0.0))
    for fact in facts:
        books.take(fact, 60_000)
    return numbers(books.said)


BOUGHT = intended(), attempted(), filled(1, 100)
SALE = exit_intended(), attempted("x1", "cx1")


def test_an_order_in_order_is_not_blamed() -> None:
    assert kept(*BOUGHT, ended(OrderStatus.FILLED, "1"), *SALE, sold(1, 101)) == []


def test_a_second_attempt_beside_a_live_one_is_seen() -> None:
    assert kept(intended(), attempted(), attempted(order_id="c2")) == ["I-1"]


def test_an_attempt_without_an_intent_is_seen() -> None:
    assert kept(attempted()) == ["I-2"]


def test_news_of_an_order_that_was_never_attempted_is_seen() -> None:
    assert kept(Acknowledged("dawn", "main", SYMBOL, "c9", "v9")) == ["I-3"]


def test_fills_beyond_the_order_are_seen() -> None:
    assert "I-4" in kept(*BOUGHT, filled(1, 100, trade_id="t2"))


def test_a_trade_that_counts_twice_is_seen() -> None:
    half = filled("0.5", 100)
    assert "I-5" in kept(intended(), attempted(), half, half)


def test_an_order_that_ends_twice_is_seen() -> None:
    assert kept(*BOUGHT, *[ended(OrderStatus.FILLED, "1")] * 2) == ["I-6"]


def test_a_fill_of_an_order_that_was_not_placed_is_seen() -> None:
    late = filled(1, 100)
    assert "I-10" in kept(intended(), attempted(), ended(OrderStatus.NOT_PLACED), late)


def test_an_early_verdict_is_seen() -> None:
    """By the exchange's own clock, whatever ours said of the attempt."""
    for ended_ms, numbers_said in ((64_000, ["I-10"]), (71_000, [])):
        books = BookKeeping({"c1": 0.0})
        for fact in (intended(), attempted(attempt_ms=0)):
            books.take(fact, 60_000)
        books.take(ended(OrderStatus.NOT_PLACED), ended_ms)
        assert numbers(books.said) == numbers_said


def test_a_clock_of_the_exchange_that_was_ahead_for_a_while_makes_no_verdict_early() -> (
    None
):
    """It went back, and the request could be taken again until its own expiry."""
    for ended_ms, numbers_said in ((64_000, ["I-10"]), (66_000, [])):
        books = BookKeeping({"c1": 0.0})
        for fact in (intended(), attempted(attempt_ms=0)):
            books.take(fact, 69_000, 9_000)
        books.take(ended(OrderStatus.NOT_PLACED), ended_ms)
        assert numbers(books.said) == numbers_said


def test_selling_more_than_is_held_is_seen() -> None:
    more = attrs.evolve(exit_intended(), base=Decimal(2))
    assert "I-15" in kept(*BOUGHT, more, SALE[1])
    assert "I-13" in kept(*BOUGHT, more, SALE[1], sold(2, 100))


def test_a_stop_and_the_exit_in_its_place_sell_once() -> None:
    stop = exit_intended(intent_id="s1", stop_price=Decimal(90)), attempted("s1", "cs1")
    instead = exit_intended(replaces="cs1"), SALE[1]
    both = "c1", "cs1", "cx1"
    assert kept(*BOUGHT, *stop, *instead, sent=both) == []
    assert "I-15" in kept(*BOUGHT, *stop, *SALE, sent=both)


def test_an_exit_in_the_place_of_a_stop_that_has_sold_is_void() -> None:
    stop = exit_intended(intent_id="s1", stop_price=Decimal(90)), attempted("s1", "cs1")
    hit = sold(1, 90, client_order_id="cs1")
    instead = exit_intended(replaces="cs1"), SALE[1]
    assert kept(*BOUGHT, *stop, hit, *instead, sent=("c1", "cs1", "cx1")) == []
