"""What is held on an account that no bot trades on any more is named, and nothing else."""

from __future__ import annotations

from actors.messages import Fact, OrderStatus
from actors.pure.abandoned import Abandoned
from tests.words import attempted, ended, exit_intended, filled, intended, sold


def said(*facts: Fact) -> list[str]:
    abandoned = Abandoned({"second"})
    for fact in facts:
        abandoned.apply(fact)
    return [alarm.text for alarm in abandoned.alarms("board")]


def test_what_a_bot_left_on_its_old_account_is_named() -> None:
    assert said(filled(1, 100), filled(2, 100, account="second", trade_id="t2")) == [
        "main holds 1 BTC/USDT of dawn, and no bot trades on it: nothing guards that until"
        " one trades on main again"
    ]


def test_what_was_sold_is_not_named() -> None:
    assert said(filled(1, 100), sold(1, 110)) == []


def test_an_entry_that_still_rests_there_is_named() -> None:
    """Nobody is left to cancel it, nor to guard what it buys."""
    stop = (exit_intended(stop_price=98), attempted("x1", "cx1"))
    assert said(intended(), attempted(), *stop) == [
        "main has open entries by the ledger: c1 of dawn, BTC/USDT; no bot trades on it,"
        " nothing guards what they buy: cancel them at the exchange"
    ]


def test_an_entry_that_has_ended_is_not_named() -> None:
    assert said(intended(), attempted(), ended(OrderStatus.CANCELED)) == []
