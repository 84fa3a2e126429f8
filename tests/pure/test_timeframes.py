"""When candles open, and what each timeframe is built from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.pure.timeframes import (
    DAY_MS,
    LENGTH_MS,
    STREAM,
    TRADES,
    fits,
    longest_part,
    open_of,
    sources,
)

ALL = frozenset(LENGTH_MS)
NAMES = st.sets(st.sampled_from(sorted(ALL)), min_size=1)


def test_a_week_opens_on_monday() -> None:
    thursday_ms = 1_700_697_600_000  # 2023-11-23
    assert open_of("1w", thursday_ms) == 1_700_438_400_000  # 2023-11-20


def test_a_quarter_of_an_hour_opens_at_its_multiples() -> None:
    assert open_of("15m", 1_700_697_600_000 + 899_999) == 1_700_697_600_000


def test_timeframes_of_one_symbol_are_built_from_the_shortest() -> None:
    built = sources({"1m", "5m", "15m", "1h"}, ALL)
    assert built == {"1m": STREAM, "5m": "1m", "15m": "5m", "1h": "15m"}


def test_a_timeframe_alone_is_told_by_the_stream() -> None:
    assert sources({"15m"}, ALL) == {"15m": STREAM}


def test_what_does_not_divide_has_a_stream_of_its_own() -> None:
    assert sources({"3m", "5m"}, ALL) == {"3m": STREAM, "5m": STREAM}


def test_too_many_parts_have_a_stream_of_their_own() -> None:
    assert sources({"1s", "5m"}, ALL) == {"1s": STREAM, "5m": STREAM}


def test_a_venue_with_one_timeframe_tells_what_the_others_are_built_from() -> None:
    assert sources({"15m"}, {"1m"}) == {"1m": STREAM, "15m": "1m"}


def test_a_venue_without_candles_tells_trades() -> None:
    assert sources({"5m"}, ()) == {"1m": TRADES, "5m": "1m"}


def test_a_long_way_from_trades_has_rungs() -> None:
    assert sources({"1d"}, ()) == {"1m": TRADES, "1h": "1m", "1d": "1h"}


def test_a_week_that_the_venue_tells_is_not_built() -> None:
    assert sources({"1d", "1w"}, ALL) == {"1d": STREAM, "1w": STREAM}


def test_the_longest_part_that_rest_tells_is_asked_for() -> None:
    told = {"1m", "5m", "15m", "1h", "6h", "1d"}
    assert [longest_part(each, told) for each in ("30m", "1h", "4h", "1w", "1s")] == [
        "15m",
        "1h",
        "1h",
        "1d",
        None,
    ]


@given(NAMES, st.sets(st.sampled_from(sorted(ALL))))
def test_everything_wanted_comes_from_the_stream_or_from_trades_at_last(
    wanted: set[str], told: set[str]
) -> None:
    chosen = sources(wanted, told)
    assert wanted <= chosen.keys()
    for timeframe, source in chosen.items():
        if source == STREAM:
            assert timeframe in told
        elif source == TRADES:
            assert timeframe in {"1s", "1m"}
            assert timeframe not in told
        else:
            assert source in chosen
            assert fits(source, timeframe)


@given(NAMES, st.sets(st.sampled_from(sorted(ALL))))
def test_what_is_built_from_comes_first(wanted: set[str], told: set[str]) -> None:
    chosen = sources(wanted, told)
    order = list(chosen)
    for timeframe, source in chosen.items():
        if source in chosen:
            assert order.index(source) < order.index(timeframe)


@given(st.sampled_from(sorted(ALL)), st.integers(0, 4_000_000_000_000))
def test_a_candle_holds_the_time_it_was_asked_for(timeframe: str, at_ms: int) -> None:
    open_ms = open_of(timeframe, at_ms)
    assert open_ms <= at_ms < open_ms + LENGTH_MS[timeframe]
    assert open_of(timeframe, open_ms) == open_ms
    assert LENGTH_MS[timeframe] > DAY_MS or open_ms % LENGTH_MS[timeframe] == 0
