"""The first strategy: crosses of two averages on closed candles, and on the live price."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Candle, Signal, SignalType
from actors.pure.indicators import ema
from actors.pure.market_view import Cause, Held, MarketView
from actors.pure.strategies import BUILT_IN, BadStrategy, build
from actors.pure.strategies.ema_cross import EmaCross
from tests.words import SYMBOL, candle, ticker

FAST, SLOW = 2, 4
FALL = [*range(120, 108, -1)]  # 12 closes: warm, fast below slow


def candles(closes: list[int]) -> tuple[Candle, ...]:
    return tuple(candle(n, close) for n, close in enumerate(closes))


def seen(
    closes: list[int], live: int | None = None, cause: Cause = Cause.CANDLE
) -> MarketView:
    price = closes[-1] if live is None else live
    return MarketView(SYMBOL, ticker(str(price)), candles(closes), None, None, 0, cause)


def types(strategy: EmaCross, *views: MarketView) -> list[SignalType]:
    return [strategy.evaluate(view).type for view in views]


def test_averages_begin_with_the_mean() -> None:
    closes = [Decimal(n) for n in (1, 2, 3, 4)]
    assert ema(closes, 3) == [2, 3]


def test_it_holds_while_it_warms_up() -> None:
    signal = EmaCross(FAST, SLOW).evaluate(seen([100] * 5))
    assert signal.reasons == ("warming up: 5 of 12 candles",)


def test_it_buys_on_a_cross_up_and_says_so_once() -> None:
    strategy = EmaCross(FAST, SLOW)
    assert types(strategy, seen(FALL), seen([*FALL, 140]), seen([*FALL, 140])) == [
        SignalType.HOLD,
        SignalType.BUY,
        SignalType.HOLD,
    ]


@pytest.mark.parametrize(
    ("closes", "live", "cause"),
    [([*FALL, 140], 140, Cause.TIMER), (FALL, 140, Cause.TICK)],
)
def test_a_life_that_begins_with_a_position_does_not_buy_on_the_same_cross_again(
    closes: list[int], live: int, cause: Cause
) -> None:
    """I-18: the life before had bought, and what it remembered is gone."""
    flat = seen(closes, live, cause)
    held = attrs.evolve(flat, position=Held(Decimal(140), Decimal(1), Decimal(0)))
    assert types(EmaCross(FAST, SLOW), flat) == [SignalType.BUY]
    assert types(EmaCross(FAST, SLOW), held, held) == [SignalType.HOLD] * 2


def test_a_position_keeps_no_later_cross_away() -> None:
    strategy, position = EmaCross(FAST, SLOW), Held(Decimal(1), Decimal(1), Decimal(0))
    views = (seen(FALL), seen([*FALL, 140]), seen([*FALL, 140, 60]))
    held = [attrs.evolve(view, position=position) for view in views]
    assert types(strategy, *held) == [SignalType.HOLD, SignalType.BUY, SignalType.SELL]


def test_it_sells_on_a_cross_down() -> None:
    strategy = EmaCross(FAST, SLOW)
    signals = types(strategy, seen([*FALL, 140]), seen([*FALL, 140, 60]))
    assert signals == [SignalType.BUY, SignalType.SELL]


def test_a_cross_of_a_running_candle_is_none() -> None:
    """R-26: a candle is final by the venue's word only."""
    strategy = EmaCross(FAST, SLOW)
    running = candle(len(FALL), 140, is_closed=False)
    view = MarketView(SYMBOL, ticker("140"), candles(FALL), running, None, 0, Cause.TIMER)
    assert strategy.evaluate(view).type is SignalType.HOLD


def test_on_ticks_the_live_price_counts_once_per_candle() -> None:
    strategy = EmaCross(FAST, SLOW)
    assert types(
        strategy,
        seen(FALL, 100, Cause.TICK),
        seen(FALL, 140, Cause.TICK),
        seen(FALL, 100, Cause.TICK),
        seen(FALL, 140, Cause.TICK),
        seen([*FALL, 140], 140, Cause.TICK),
    ) == [SignalType.HOLD, SignalType.BUY, *[SignalType.HOLD] * 3]


def test_a_live_cross_is_less_certain_than_a_closed_one() -> None:
    live = EmaCross(FAST, SLOW).evaluate(seen(FALL, 140, Cause.TICK))
    closed = EmaCross(FAST, SLOW).evaluate(seen([*FALL, 140]))
    assert (live.confidence, closed.confidence) == (0.5, 1.0)


def test_a_hold_says_how_far_the_averages_are_apart() -> None:
    signal = EmaCross(FAST, SLOW).evaluate(seen(FALL))
    assert signal.reasons == ("fast 0.90 % below slow, no cross",)
    assert set(signal.indicators) == {"ema_fast", "ema_slow", "gap_percent"}


def test_several_candles_at_once_are_all_counted() -> None:
    late = EmaCross(FAST, SLOW)
    late.evaluate(seen(FALL))
    signal: Signal = late.evaluate(seen([*FALL, 140, 141, 142]))
    assert signal.type is SignalType.BUY


CLOSES = st.lists(st.integers(50, 150), min_size=12, max_size=60)


@given(closes=CLOSES)
def test_step_by_step_it_sees_each_cross_exactly_once(closes: list[int]) -> None:
    strategy, said = EmaCross(FAST, SLOW), list[SignalType]()
    for end in range(12, len(closes) + 1):
        for _ in range(2):  # each candle is shown twice
            signal = strategy.evaluate(seen(closes[:end]))
            if signal.type is not SignalType.HOLD:
                said.append(signal.type)
    prices = [Decimal(close) for close in closes]
    fast, slow = ema(prices, FAST)[SLOW - FAST :], ema(prices, SLOW)
    gaps = [f - s for f, s in zip(fast, slow, strict=True)]
    crosses: list[SignalType] = []
    for before, now in pairwise(gaps[12 - SLOW - 1 :]):
        if before <= 0 < now:
            crosses.append(SignalType.BUY)
        elif before >= 0 > now:
            crosses.append(SignalType.SELL)
    assert said == crosses


@given(closes=CLOSES)
def test_signals_are_within_their_bounds(closes: list[int]) -> None:
    signal = EmaCross(FAST, SLOW).evaluate(seen(closes))
    assert 0 <= signal.strength <= 1
    assert 0 <= signal.confidence <= 1


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"fast": 26, "slow": 12}, "fast = 26 is not less than slow = 12"),
        ({"fast": 0}, "fast = 0 is not a whole number"),
        ({"slow": Decimal("26.5")}, "slow = Decimal"),
        ({"fats": 12}, "EmaCross has no parameter 'fats'; did you mean 'fast'"),
    ],
)
def test_bad_params_are_refused_by_name(params: dict[str, object], text: str) -> None:
    with pytest.raises(BadStrategy, match=text):
        build(BUILT_IN["ema_cross"], params)


def test_a_class_that_is_no_strategy_is_refused() -> None:
    class Idle:
        candles_min = 3

    with pytest.raises(BadStrategy, match="Idle has no evaluate"):
        build(Idle, {})  # pyright: ignore[reportArgumentType]  # the mistake is the point
