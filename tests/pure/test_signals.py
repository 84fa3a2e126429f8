"""What a strategy answers: good signals pass as plain ones, the others name their fault."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import attrs
import pytest

from actors.messages import Signal, SignalGenerated, SignalType
from actors.pure.facts import decode, encode
from actors.pure.signals import BadSignal, checked
from tests.words import HOLD


class Half(float):
    """A number of a class that JSON does not know, as NumPy has them."""


class Why(StrEnum):
    CALM = "calm"


@attrs.frozen
class MySignal(Signal):
    """A signal with more in it than the ledger knows."""

    horizon_s: int = 60


def with_indicators(indicators: Any) -> Signal:
    return Signal(SignalType.HOLD, 0.0, 1.0, (), indicators)


@pytest.mark.parametrize(("value", "told"), [(1, "1"), (0.1, "0.1"), (Half(0.5), "0.5")])
def test_a_plain_number_is_an_indicator_as_it_is_written(value: float, told: str) -> None:
    signal = checked(with_indicators({"low": value}), "mine")
    assert signal.indicators == {"low": Decimal(told)}
    assert type(signal.indicators["low"]) is Decimal


@pytest.mark.parametrize("value", [float("nan"), None, True, "1", Decimal("NaN")])
def test_an_indicator_that_is_no_finite_number_is_named(value: Any) -> None:
    with pytest.raises(BadSignal, match=r"mine returned indicator 'rsi' .*leave it out"):
        checked(with_indicators({"rsi": value}), "mine")


@pytest.mark.parametrize("indicators", [None, ["rsi"], {1: Decimal(1)}])
def test_indicators_that_are_not_names_to_numbers_are_refused(indicators: Any) -> None:
    with pytest.raises(BadSignal, match="indicator"):
        checked(with_indicators(indicators), "mine")


@pytest.mark.parametrize("field", ["strength", "confidence"])
@pytest.mark.parametrize("value", [True, Half(0.5), Decimal("0.5"), float("nan"), 1.01, -1])
def test_a_strength_that_is_no_plain_number_from_0_to_1_is_refused(
    field: str, value: Any
) -> None:
    with pytest.raises(BadSignal, match=f"mine returned {field}"):
        checked(attrs.evolve(HOLD, **{field: value}), "mine")


def test_a_good_answer_of_whatever_classes_is_one_that_the_ledger_gives_back() -> None:
    levels = MappingProxyType({"low": Decimal("1.10")})
    answer = MySignal(SignalType.HOLD, 1, 0.5, (Why.CALM,), levels)
    fact = SignalGenerated("dawn", "A/B", checked(answer, "mine"), Decimal(1), 1, 0)

    assert decode("signal_generated", encode(fact)) == fact


def test_what_a_strategy_changes_afterwards_is_not_in_its_signal() -> None:
    levels: dict[str, Any] = {"low": Decimal(1)}
    signal = checked(with_indicators(levels), "mine")
    levels["low"] = float("nan")

    assert signal.indicators == {"low": Decimal(1)}


def test_texts_that_cannot_be_written_are_told_in_others() -> None:
    answer = Signal(SignalType.HOLD, 0.0, 1.0, ("news \ud83d",), {"a\udc80": Decimal(1)})
    fact = SignalGenerated("dawn", "A/B", checked(answer, "mine"), Decimal(1), 1, 0)

    assert fact.signal.reasons == (r"news \ud83d",)
    assert decode("signal_generated", encode(fact)) == fact
