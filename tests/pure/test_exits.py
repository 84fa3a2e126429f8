"""When a position must be closed, to the tick."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import ExitReason, Protection
from actors.pure.exits import (
    Levels,
    judge,
    levels_of,
    moved,
    trailed,
    with_entry,
)
from tests.words import BTC

BOTH = Protection(Decimal(2), Decimal(5))
TRAILING = Protection(trailing_stop_percent=Decimal("1.5"))
PENNY = attrs.evolve(BTC, tick=Decimal("0.00000001"), price_min=Decimal("0.00000001"))
PRICES = st.lists(st.decimals("50", "200", places=2), max_size=30)


def test_levels_are_percents_of_the_entry() -> None:
    levels = levels_of(Decimal(100), BOTH, BTC)
    assert (levels.stop_loss, levels.take_profit) == (98, 105)


def test_levels_are_rounded_to_the_tick_on_the_safe_side() -> None:
    levels = levels_of(Decimal("33.33"), BOTH, BTC)
    assert (levels.stop_loss, levels.take_profit) == (Decimal("32.67"), Decimal("34.99"))


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("97.99", ExitReason.STOP_LOSS),
        ("98", ExitReason.STOP_LOSS),
        ("98.01", None),
        ("104.99", None),
        ("105", ExitReason.TAKE_PROFIT),
    ],
)
def test_a_price_at_a_level_is_beyond_it(price: str, reason: ExitReason | None) -> None:
    assert judge(levels_of(Decimal(100), BOTH, BTC), Decimal(price)) is reason


def test_the_stop_is_judged_before_the_target() -> None:
    crossed = Levels(stop_loss=Decimal(100), take_profit=Decimal(90))
    assert judge(crossed, Decimal(95)) is ExitReason.STOP_LOSS


def test_a_trailing_stop_follows_the_price_up() -> None:
    levels = levels_of(Decimal(100), TRAILING, BTC)
    assert levels.stop_loss == Decimal("98.50")
    higher = trailed(levels, Decimal(110), BTC)
    assert higher is not None
    assert (higher.stop_loss, higher.high) == (Decimal("108.35"), 110)
    assert judge(higher, Decimal("108.35")) is ExitReason.TRAILING_STOP


def test_a_fixed_stop_that_is_nearer_is_named() -> None:
    levels = levels_of(Decimal(100), Protection(Decimal(1), None, Decimal(3)), BTC)
    assert (levels.stop_loss, judge(levels, Decimal(99))) == (99, ExitReason.STOP_LOSS)


def test_less_than_a_tick_moves_nothing() -> None:
    levels = trailed(levels_of(Decimal(100), TRAILING, BTC), Decimal("100.001"), BTC)
    assert levels is not None
    assert levels.stop_loss == Decimal("98.51")
    assert trailed(levels, Decimal("100.009"), BTC) is None


def test_where_a_tick_exceeds_the_distance_levels_are_a_tick_from_the_entry() -> None:
    """At the entry's own price, what was bought would be sold at once."""
    protection = Protection(Decimal("1.5"), Decimal("1.5"))
    levels = levels_of(Decimal("0.00000060"), protection, PENNY)
    assert levels.stop_loss == Decimal("0.00000059")
    assert levels.take_profit == Decimal("0.00000061")
    assert judge(levels, Decimal("0.00000060")) is None


def test_an_entry_between_two_ticks_is_a_tick_from_both_levels() -> None:
    levels = levels_of(Decimal("0.000000605"), Protection(Decimal(1), Decimal(1)), PENNY)
    assert levels.stop_loss == Decimal("0.00000059")
    assert levels.take_profit == Decimal("0.00000062")


def test_a_trailing_stop_is_a_tick_below_its_price_where_a_tick_exceeds_it() -> None:
    levels = levels_of(Decimal("0.00000060"), TRAILING, PENNY)
    assert levels.stop_loss == Decimal("0.00000059")
    higher = trailed(levels, Decimal("0.00000061"), PENNY)
    assert higher is not None
    assert higher.stop_loss == Decimal("0.00000060")


def test_a_stop_is_never_below_the_lowest_tick() -> None:
    levels = levels_of(PENNY.tick, BOTH, PENNY)
    assert levels.stop_loss == PENNY.tick


@given(
    ticks=st.decimals("2", "500", places=1),
    percents=st.tuples(*[st.decimals("0.1", "90", places=1)] * 3),
    highs=st.lists(st.decimals("2", "500", places=1), max_size=9),
)
def test_no_level_is_at_the_price_it_is_taken_from(
    ticks: Decimal, percents: tuple[Decimal, Decimal, Decimal], highs: list[Decimal]
) -> None:
    """However coarse the ticks are; and no stop is looser than it was (R-15)."""
    entry = ticks * PENNY.tick
    levels = levels_of(entry, Protection(*percents), PENNY)
    assert judge(levels, entry) is None
    assert levels.stop_loss is not None
    for high in highs:
        after = trailed(levels, high * PENNY.tick, PENNY)
        if after is not None:
            assert after.stop_loss is not None
            assert levels.stop_loss < after.stop_loss <= (high - 1) * PENNY.tick
            levels = after
            assert levels.stop_loss is not None


@given(prices=PRICES)
def test_the_trailing_stop_only_rises(prices: list[Decimal]) -> None:
    """R-15, whatever the prices do, also where moves are recorded late or twice."""
    levels = levels_of(Decimal(100), TRAILING, BTC)
    for price in prices:
        after = trailed(levels, price, BTC) or levels
        assert after.stop_loss is not None
        assert levels.stop_loss is not None
        assert after.stop_loss >= levels.stop_loss
        assert moved(after, levels.stop_loss, levels.high).stop_loss == after.stop_loss
        levels = after


@given(entries=PRICES)
def test_a_new_average_entry_never_loosens_the_stop(entries: list[Decimal]) -> None:
    levels = levels_of(Decimal(100), BOTH, BTC)
    for entry in entries:
        after = with_entry(levels, entry, BOTH, BTC)
        assert after.stop_loss is not None
        assert levels.stop_loss is not None
        assert after.stop_loss >= levels.stop_loss
        levels = after


def test_without_protection_nothing_ends_a_position() -> None:
    levels = levels_of(Decimal(100), Protection(), BTC)
    assert judge(levels, Decimal("0.01")) is None
