"""What is said of ledgers with an entry where a halt, a pause or a shortage forbids it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import (
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Fact,
    Halted,
    HaltLifted,
    Reconciled,
)
from actors.pure.books import Books
from actors.pure.drift import Shortage
from tests.simulation.bars import Bars
from tests.words import SYMBOL, attempted, exit_intended, filled, intended

DAY_MS = 86_400_000
ENTRY = intended(), attempted()
SALE = exit_intended(), attempted("x1", "cx1")
BARRING: list[Fact] = [
    Halted("", "main", "daily_loss", "why", DAY_MS),
    Halted("dawn", "main", "orders_per_minute", "why"),
    BotPaused("dawn", "main", "why"),
    BotStopped("dawn", "main"),
    BotFlattened("dawn", "main", "why"),
]
LIFTED = HaltLifted("", "main", "daily_loss")
RESUMED, STARTED = BotResumed("dawn", "main"), BotStarted("dawn", "main")


def judged(*facts: Fact, every_s: float = 1.0, venue_ms: int = 60_000) -> list[str]:
    """Judge facts that come one after the other, each durable as it is stamped."""
    bars = Bars({"c1", "cx1"})
    for number, fact in enumerate(facts):
        bars.take(fact, number * every_s, number * every_s, venue_ms)
    return [each.partition(":")[0] for each in bars.said]


@pytest.mark.parametrize("bar", BARRING)
def test_an_entry_after_a_row_that_forbids_it_is_seen_and_an_exit_is_not(bar: Fact) -> None:
    assert judged(bar, *ENTRY) == ["I-11"]
    assert judged(bar, *SALE) == []
    assert judged(*ENTRY, bar) == []


@pytest.mark.parametrize("bar", BARRING)
def test_an_entry_that_was_under_way_is_not_blamed(bar: Fact) -> None:
    assert judged(bar, *ENTRY, every_s=0.1) == []


def test_an_entry_of_another_bot_or_account_is_not_blamed() -> None:
    for bar in (
        Halted("dusk", "main", "operator", ""),
        Halted("", "other", "operator", ""),
    ):
        assert judged(bar, *ENTRY) == []


def test_what_is_over_or_taken_back_forbids_nothing() -> None:
    loss, _, pause, stop, flat = BARRING
    assert judged(loss, *ENTRY, venue_ms=DAY_MS) == []
    assert judged(loss, LIFTED, *ENTRY) == []
    assert judged(pause, flat, RESUMED, *ENTRY) == []
    assert judged(stop, STARTED, *ENTRY) == []


def test_what_takes_back_something_else_leaves_it_standing() -> None:
    _, orders, pause, stop, flat = BARRING
    assert judged(orders, LIFTED, *ENTRY) == ["I-11"]
    assert judged(stop, RESUMED, *ENTRY) == ["I-11"]
    assert judged(pause, flat, STARTED, *ENTRY) == ["I-11", "I-11"]


def test_an_entry_on_a_symbol_of_which_the_venue_holds_too_little_is_seen() -> None:
    short, enough = passed(Decimal("0.5")), passed(Decimal(1))
    assert judged(short, *ENTRY) == ["I-11"]
    assert judged(short, enough, *ENTRY) == []
    assert judged(short, intended(symbol="ETH/USDT"), attempted()) == []


def passed(total: Decimal) -> Reconciled:
    """Return a pass that finds so much of what the ledger holds one of, in its words."""
    books, shortage = Books(), Shortage()
    for fact in (*ENTRY, filled(1, 100)):
        books.apply(fact)
    base = SYMBOL.partition("/")[0]
    shortage.weigh(books, {base: Decimal(1)}, {base: total}, {"c1"})
    return Reconciled("main", "routine", 0, 0, 0, shortage.lines(), 0)
