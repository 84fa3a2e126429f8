"""Bought and sold volume over windows of time."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Side, Traded
from actors.pure import trade_flow
from actors.pure.money import ZERO
from actors.pure.trade_flow import Flow, TradeFlow
from tests.words import SYMBOL


def traded(at_s: float, side: Side = Side.BUY, base: int = 1, price: int = 10) -> Traded:
    return Traded("binance", SYMBOL, 1, Decimal(price), Decimal(base), side, 0, at_s)


def heard(*windows_s: int) -> TradeFlow:
    flow = TradeFlow.of(windows_s)
    assert flow is not None
    return flow


def test_bought_and_sold_are_what_takers_did() -> None:
    flow = heard(60)
    flow.take([traded(1.0, base=3), traded(2.0, Side.SELL, base=1, price=20)], 2.0)
    shown = flow.flows(2.0)[60]
    assert (shown.buy_base, shown.buy_quote) == (3, 30)
    assert (shown.sell_base, shown.sell_quote) == (1, 20)
    assert (shown.trades, shown.imbalance) == (2, Decimal("0.5"))


def test_each_window_forgets_at_its_own_time() -> None:
    flow = heard(10, 60)
    flow.take([traded(0.0, base=5), traded(8.0)], 8.0)
    shown = flow.flows(12.0)
    assert {window_s: each.buy_base for window_s, each in shown.items()} == {10: 1, 60: 6}
    assert flow.flows(100.0)[60].trades == 0


def test_nobody_trading_is_even() -> None:
    assert heard(10).flows(5.0)[10].imbalance == 0


def test_a_window_is_whole_once_all_of_it_was_heard() -> None:
    flow = heard(10)
    assert flow.flows(100.0)[10].heard_s == 0.0
    flow.resume(100.0)
    assert not flow.flows(109.0)[10].is_whole
    assert flow.flows(110.0)[10].is_whole


def test_a_gap_forgets_what_was_before_it() -> None:
    flow = heard(10)
    flow.take([traded(1.0)], 1.0)
    flow.break_off()
    flow.resume(5.0)
    shown = flow.flows(6.0)[10]
    assert shown == Flow(10, 1.0, ZERO, ZERO, ZERO, ZERO, 0)


def test_a_bot_without_windows_remembers_nothing() -> None:
    assert TradeFlow.of(()) is None


def test_memory_is_bounded_and_says_so() -> None:
    flow = heard(1_000_000)
    over = trade_flow.TRADES_MAX + 5
    flow.take([traded(float(second)) for second in range(over)], float(over))
    shown = flow.flows(float(over))[1_000_000]
    assert shown.trades == trade_flow.TRADES_MAX
    assert shown.buy_base == trade_flow.TRADES_MAX
    assert shown.heard_s == over - 4


STEPS = st.lists(
    st.tuples(st.floats(0, 5), st.sampled_from(Side), st.integers(1, 9)), max_size=40
)


@given(STEPS, st.lists(st.integers(1, 20), min_size=1, max_size=3))
def test_sums_are_those_of_the_trades_inside(
    steps: list[tuple[float, Side, int]], windows_s: list[int]
) -> None:
    flow, now_s, told = heard(*windows_s), 0.0, list[Traded]()
    for wait_s, side, base in steps:
        now_s += wait_s
        told.append(traded(now_s, side, base))
        flow.take(told[-1:], now_s)
        for window_s, shown in flow.flows(now_s).items():
            inside = [each for each in told if each.received_s > now_s - window_s]
            bought = sum(each.base for each in inside if each.side is Side.BUY)
            sold = sum(each.base for each in inside if each.side is Side.SELL)
            counted = (shown.buy_base, shown.sell_base, shown.trades)
            assert counted == (bought, sold, len(inside))
