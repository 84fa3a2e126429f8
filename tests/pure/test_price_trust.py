"""No single odd price ends a position (R-43)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import BookTop
from actors.pure.price_trust import PriceLimits, PriceTrust
from tests.words import SYMBOL, ticker

LIMITS = PriceLimits(age_s_max=15.0, jump_percent_max=Decimal(10), agree_percent=Decimal(2))


def trusting(price: str = "100", at_s: float = 10.0) -> PriceTrust:
    trust = PriceTrust(LIMITS)
    trust.take(ticker(price, at_s - 1), at_s)
    trust.take(ticker(price, at_s), at_s)
    return trust


def test_a_near_price_is_trusted_at_once() -> None:
    assert trusting().take(ticker("91", 11), 11) == 91


@pytest.mark.parametrize("odd", ["0", "-5", "NaN", "Infinity"])
def test_what_is_no_price_is_never_trusted(odd: str) -> None:
    trust = trusting()
    assert (trust.take(ticker(odd, 11), 11), trust.price) == (None, 100)


def test_a_jump_waits_for_a_second_price_that_agrees() -> None:
    trust = trusting()
    assert trust.take(ticker("50", 11), 11) is None
    assert trust.take(ticker("50.5", 12), 12) == Decimal("50.5")


def test_a_lonely_spike_is_forgotten() -> None:
    trust = trusting()
    trust.take(ticker("50", 11), 11)
    assert trust.take(ticker("100", 12), 12) == 100
    assert trust.take(ticker("50", 13), 13) is None
    assert trust.suspected == 3  # the first price of all, and two spikes


def test_two_spikes_that_disagree_confirm_nothing() -> None:
    trust = trusting()
    trust.take(ticker("50", 11), 11)
    assert trust.take(ticker("200", 12), 12) is None


def test_the_same_datum_twice_is_one_witness() -> None:
    trust = trusting()
    trust.take(ticker("50", 11), 11)
    assert trust.take(ticker("50", 11), 12) is None


def test_the_best_bid_is_a_second_witness() -> None:
    trust = trusting()
    trust.take(ticker("50", 11), 11)
    top = BookTop(
        "binance", SYMBOL, Decimal(50), Decimal(1), Decimal(51), Decimal(1), 7, 11.5
    )
    assert trust.take(top, 11.5) == 50


def test_an_old_price_is_not_trusted() -> None:
    assert trusting().take(ticker("100", 11), 27) is None


def test_a_price_that_comes_late_replaces_no_newer_one() -> None:
    trust = trusting()
    assert (trust.take(ticker("99", 9), 11), trust.price) == (None, 100)


def test_a_price_grows_old() -> None:
    trust = trusting(at_s=10)
    assert (trust.fresh(25), trust.fresh(25.1)) == (100, None)


def test_nothing_is_fresh_after_the_clock_stepped() -> None:
    trust = trusting()
    trust.distrust()
    assert trust.fresh(10) is None
    assert trust.take(ticker("100", 11), 11) is None


def test_a_fill_is_a_reference_and_no_fresh_price() -> None:
    trust = PriceTrust(LIMITS)
    trust.refer(Decimal(100), 10)
    assert trust.fresh(10) is None
    assert trust.take(ticker("101", 11), 11) == 101
