"""What is said of ledgers with an entry beyond a cap of its bot, and of seeds with caps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.messages import Fact, HaltLifted
from actors.pure.config_types import RiskConfig
from tests.simulation.cap_rules import CapRules
from tests.simulation.schedule import draw
from tests.simulation.small_limits import SMALL, with_limits
from tests.words import attempted, filled, intended

BOUGHT = filled(1, 100, fee=Decimal(1), fee_asset="USDT")
CAPS: list[tuple[str, Any]] = [
    ("daily_turnover_quote_max", Decimal(150)),
    ("daily_fees_quote_max", Decimal(1)),
    ("orders_per_minute_max", 1),
]


def entry(number: int) -> tuple[Fact, Fact]:
    at_ms = number * 1000
    return (
        intended(intent_id=f"i{number}"),
        attempted(f"i{number}", f"c{number}", attempt_ms=at_ms),
    )


def judged(risk: RiskConfig, *facts: Fact, every_s: float = 1.0) -> list[str]:
    """Judge facts that come one after the other, each durable as it is stamped."""
    rules = CapRules(risk, {f"c{number}" for number in range(100)})
    for number, fact in enumerate(facts):
        rules.take(fact, number * every_s, number * every_s, 1_700_000_060_000)
    return [each.partition(":")[0] for each in rules.said]


@pytest.mark.parametrize(("name", "most"), CAPS)
def test_an_entry_beyond_a_cap_is_seen(name: str, most: Any) -> None:
    risk = RiskConfig(**{name: most})
    assert judged(risk, *entry(1), BOUGHT, *entry(2)) == ["R-46"]
    assert judged(RiskConfig(), *entry(1), BOUGHT, *entry(2)) == []


@pytest.mark.parametrize(("name", "most"), CAPS)
def test_what_a_halt_was_lifted_for_counts_anew(name: str, most: Any) -> None:
    code = name.removesuffix("_max").removesuffix("_quote")
    lifted = HaltLifted("dawn", "main", code)
    assert judged(RiskConfig(**{name: most}), *entry(1), BOUGHT, lifted, *entry(2)) == []


@pytest.mark.parametrize(("name", "most"), CAPS[:2])
def test_an_entry_that_was_under_way_is_not_blamed(name: str, most: Any) -> None:
    risk = RiskConfig(**{name: most})
    assert judged(risk, *entry(1), BOUGHT, *entry(2), every_s=0.05) == []


def test_what_was_begun_a_minute_before_does_not_count() -> None:
    assert judged(RiskConfig(orders_per_minute_max=1), *entry(1), *entry(62)) == []


def test_an_order_larger_than_any_may_be_is_seen() -> None:
    assert judged(RiskConfig(order_quote_max=Decimal(99)), *entry(1)) == ["R-46"]


def test_some_seeds_have_small_limits_and_all_else_as_before() -> None:
    plain = draw(1, is_calm=True).config
    configs = [with_limits(seed, plain) for seed in range(200)]
    assert 20 < sum(config != plain for config in configs) < 60
    assert all(any(f"risk.{name} = " in it for it in configs) for name in SMALL)
