"""Whether a venue's time is known well enough (R-29, D-6)."""

from __future__ import annotations

import pytest

from actors.messages import ClockMeasured
from actors.pure.clock_trust import ClockLimits, ClockTrust


@pytest.mark.parametrize(
    ("offset_ms", "round_trip_ms", "doubt"),
    [
        (0, 0, ""),
        (500, 0, ""),
        (-500, 200, ""),
        (501, 0, "our clock is +501 ms from the exchange's, 500 ms allowed"),
        (-501, 0, "our clock is -501 ms from the exchange's, 500 ms allowed"),
        (0, 201, ""),
        (0, 202, "the exchange's time is known to 101 ms only, 100 ms allowed"),
    ],
)
def test_offset_and_uncertainty_have_limits(
    offset_ms: int, round_trip_ms: int, doubt: str
) -> None:
    trust = ClockTrust(ClockLimits(500, 100))
    trust.measure(ClockMeasured("binance", offset_ms, round_trip_ms))
    assert trust.doubt() == doubt


def test_a_step_of_our_clock_is_a_doubt_until_the_next_measure() -> None:
    trust = ClockTrust(ClockLimits())
    assert trust.doubt() == "the exchange has not told its time yet"
    trust.measure(ClockMeasured("binance", 0, 0))
    trust.stepped = "the machine slept for 9.0 s"
    assert trust.doubt().startswith("the machine slept for 9.0 s, and the exchange")
    trust.measure(ClockMeasured("binance", 0, 0))
    assert trust.doubt() == ""
