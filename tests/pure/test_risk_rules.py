"""Every rule of the risk check, and what its answers carry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    Approved,
    Ended,
    ExitReason,
    Instrument,
    OrderIntent,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PositionClosed,
    Purpose,
    Refused,
    Side,
    Ticker,
)
from actors.pure.caps import Caps
from actors.pure.order_gate import Gate
from actors.pure.risk_recheck import recheck
from actors.pure.risk_rules import Limits, judge, order_quote
from actors.pure.risk_state import RiskState
from tests.words import (
    BTC,
    SYMBOL,
    attempted,
    exit_intended,
    filled,
    intended,
    order_intent,
    sold,
    ticker,
)

LIMITS = Limits(
    capital=Decimal(10_000),
    allocations={"dawn": Decimal(1_000), "dusk": Decimal(9_000)},
    daily_loss_percent_max=Decimal(5),
    positions_max=2,
    order_quote_max=Decimal(5_000),
)
NOW = ticker("50000", exchange_ms=1_700_000_000_000)


def answer(
    intent: OrderIntent | None = None,
    state: RiskState | None = None,
    *,
    limits: Limits = LIMITS,
    instrument: Instrument | None = BTC,
    live: Ticker | None = NOW,
    now_s: float = 0.0,
) -> Approved | Refused:
    state = state or RiskState()
    if live is not None:
        see(state, live)
    return judge(intent or order_intent(), state, limits, instrument, live, now_s)


def see(state: RiskState, price: Ticker) -> None:
    state.see(price, price.exchange_ms)


def code(*args: Any, **kwargs: Any) -> str:
    verdict = answer(*args, **kwargs)
    return verdict.code if isinstance(verdict, Refused) else "approved"


def told(*facts: object) -> RiskState:
    state = RiskState()
    for fact in facts:
        state.apply(fact)
    return state


def test_a_plain_entry_is_approved_with_its_exposure() -> None:
    verdict = answer(
        state=told(intended(base=Decimal("0.01")), attempted(), filled("0.01", 50_000))
    )
    assert isinstance(verdict, Approved)
    assert (verdict.answer.current_exposure, verdict.answer.exposure_max) == (5, 100)
    assert verdict.answer.warnings == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"live": None}, "no_price"),
        ({"live": ticker("0")}, "no_price"),
        ({"live": ticker("NaN")}, "no_price"),
        ({"instrument": None}, "not_trading"),
        ({"instrument": attrs.evolve(BTC, is_trading=False)}, "not_trading"),
        ({"now_s": 2.1}, "expired"),
        ({"limits": attrs.evolve(LIMITS, order_quote_max=Decimal(499))}, "order_quote_max"),
        (
            {"limits": attrs.evolve(LIMITS, exposure_percent_max=Decimal(4))},
            "exposure_percent_max",
        ),
        ({"limits": attrs.evolve(LIMITS, allocations={})}, "capital"),
    ],
)
def test_each_circumstance_has_its_code(changes: dict[str, Any], expected: str) -> None:
    assert code(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"base": Decimal(0)}, "invalid_quantity"),
        ({"base": Decimal("NaN")}, "invalid_quantity"),
        ({"side": Side.SELL}, "no_position"),
        ({"base": Decimal("0.03")}, "capital"),
        ({"base": Decimal("0.00009")}, "below_minimum"),
        ({"base": Decimal("0.000005")}, "below_minimum"),
        ({"base": Decimal("0.010001")}, "filters"),
        ({"order_type": OrderType.LIMIT, "limit_price": Decimal("50000.001")}, "filters"),
        ({"order_type": OrderType.LIMIT, "limit_price": Decimal(-1)}, "below_minimum"),
        ({"order_type": OrderType.LIMIT}, "filters"),
        ({"limit_price": Decimal(50_000)}, "filters"),
        (
            {
                "order_type": OrderType.LIMIT,
                "limit_price": Decimal(50_000),
                "stop_price": Decimal(50_000),
            },
            "filters",
        ),
        (
            {"order_type": OrderType.TAKE_PROFIT_LIMIT, "limit_price": Decimal(50_000)},
            "filters",
        ),
    ],
)
def test_each_fault_of_an_intent_has_its_code(
    changes: dict[str, Any], expected: str
) -> None:
    assert code(order_intent(**changes)) == expected


def test_the_older_of_two_prices_decides_about_age() -> None:
    """R-20: the live price, and the one that the signal was made of."""
    patient = order_intent(valid_until_s=99, price_s=10.0)
    assert code(patient, live=ticker("50000", 1.0), now_s=11.5) == "stale_price"
    assert code(patient, live=ticker("50000", 11.0), now_s=20.5) == "stale_price"
    assert code(patient, live=ticker("50000", 11.0), now_s=19.5) == "approved"


def test_all_broken_rules_are_told_and_the_first_gives_the_code() -> None:
    verdict = answer(order_intent(base=Decimal("0.1000001")))
    assert isinstance(verdict, Refused)
    assert (verdict.code, len(verdict.reasons)) == ("order_quote_max", 3)


def test_one_entry_at_a_time() -> None:
    assert code(state=told(intended(), attempted())) == "open_entry"


def test_an_unknown_outcome_blocks_new_risk() -> None:
    unknown = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "EOF")
    assert code(state=told(intended(), attempted(), unknown)) == "unknown_order"


def test_an_approval_nobody_heard_of_counts_as_an_order() -> None:
    """I-17: until a fact speaks of it, or it can no longer be sent."""
    state = RiskState()
    state.promise(order_intent(), Decimal(500))
    assert state.exposure_quote() == 500
    assert code(order_intent(intent_id="i2"), state) == "open_entry"
    state.forget_unheard(now_s=7.1)
    assert code(order_intent(intent_id="i2"), state) == "approved"


def test_a_promise_is_kept_by_the_intent_that_follows() -> None:
    state = RiskState()
    state.promise(order_intent(intent_id="i1"), Decimal(500))
    state.apply(intended(intent_id="i1", base=Decimal("0.01"), price=Decimal(50_000)))
    state.apply(attempted())
    assert (state.pending, state.exposure_quote()) == ({}, 500)


def test_positions_of_others_are_counted() -> None:
    state = told(
        filled("0.01", 50_000, bot="a", symbol="X/USDT", client_order_id="a1"),
        filled("0.01", 50_000, bot="b", symbol="Y/USDT", client_order_id="b1"),
    )
    assert code(state=state) == "positions_max"


def losing(quote: int) -> RiskState:
    """Return a state in which `dusk` lost this much today and holds nothing."""
    bought = filled(1, 20_000, bot="dusk", client_order_id="d1", trade_id="d1")
    ended = sold(1, 20_000 - quote, bot="dusk", client_order_id="d2", trade_id="d2")
    return told(bought, ended)


def test_an_open_loss_counts_and_an_open_gain_does_not() -> None:
    state = losing(400)
    state.apply(filled("0.1", 52_000, client_order_id="z", trade_id="z", bot="dusk"))
    assert state.result_today() == -400
    see(state, NOW)
    assert state.result_today() == -600
    see(state, ticker("60000"))
    assert state.result_today() == -400


def closed(dust_base: str) -> PositionClosed:
    reason, zero = ExitReason.SIGNAL, Decimal(0)
    dust = Decimal(dust_base)
    return PositionClosed("dawn", "main", SYMBOL, "c1", reason, zero, zero, dust, "")


def test_dust_that_was_written_off_is_a_loss_of_the_day() -> None:
    state = told(filled("0.1", 1_000), sold("0.05", 1_000))
    state.apply(closed("0.05"))
    state.apply(closed("0.05"))
    assert state.realized_today == -50


def test_what_was_bought_while_a_position_was_closed_is_no_loss_of_the_day() -> None:
    late = filled("0.5", 1_000, trade_id="t9")
    state = told(filled("0.1", 1_000), sold("0.05", 1_000), late, closed("0.05"))
    assert state.books.of("dawn", SYMBOL).cost_quote == 500
    assert (state.realized_today, state.result_today()) == (-50, -50)


def test_a_tick_in_between_does_not_refuse_a_whole_capital() -> None:
    whole = order_intent(base=Decimal("0.02"))  # 1000 of 1000 at the bot's own price
    assert code(whole, live=ticker("50001")) == "approved"
    assert code(whole, live=ticker("51000")) == "capital"


def test_what_a_bot_holds_of_another_symbol_is_of_its_capital_too() -> None:
    """Its symbol was changed while it held something: 600 of 1000 are spent."""
    before = filled("0.2", 3_000, symbol="ETH/USDT")
    assert code(state=told(before)) == "capital"
    broken = recheck(LIMITS, order_intent(), Gate.of((before,)), 0)
    assert broken is not None
    assert broken[0] == "capital"


def test_an_exposure_near_its_limit_a_wide_spread_and_a_move_are_warned_of() -> None:
    wide = ticker("50300", bid=Decimal(50_000), ask=Decimal(50_300))
    crowd = filled("0.17", 50_000, bot="dusk", client_order_id="d1")
    verdict = answer(order_intent(base=Decimal("0.019")), told(crowd), live=wide)
    assert isinstance(verdict, Approved)
    assert verdict.answer.warnings == (
        "exposure would be 95.1 %",
        "the spread is 0.60 %",
        "the price moved by +0.60 % since the signal",
    )


def test_the_recheck_of_facts_alone_refuses_a_second_entry_over_the_capital() -> None:
    gate = Gate.of((intended(base=Decimal("0.015"), price=Decimal(50_000)), attempted()))
    assert recheck(LIMITS, order_intent(bot="dusk"), gate, 0) is None
    broken = recheck(LIMITS, order_intent(), gate, 0)
    assert broken is not None
    assert broken[0] == "capital"


def test_the_recheck_of_facts_alone_refuses_an_order_over_a_hard_cap() -> None:
    """R-46: whatever `risk` has approved before."""
    limits = attrs.evolve(LIMITS, caps={"dawn": Caps(daily_turnover_quote_max=Decimal(99))})
    broken = recheck(limits, order_intent(), Gate(), 0)
    assert broken is not None
    assert broken[0] == "daily_turnover"


def test_an_entry_whose_outcome_is_unknown_stays_reserved_at_the_gate() -> None:
    """I-17, R-05: until the venue has proven that it does not have it."""
    both = dict.fromkeys(("dawn", "dusk"), Decimal(9_000))
    limits = attrs.evolve(LIMITS, allocations=both, positions_max=None)
    big = intended(bot="dusk", base=Decimal("0.15"), price=Decimal(50_000))
    unknown = OutcomeUnknown("dusk", "main", SYMBOL, "c1", "time-out")
    gate = Gate.of((big, attempted(bot="dusk"), unknown))
    more = order_intent(base=Decimal("0.06"))
    broken = recheck(limits, more, gate, 0)
    assert broken == ("exposure_percent_max", "10500.00 exposed, 10000.00 allowed")
    gate.apply(Ended("dusk", "main", SYMBOL, "c1", OrderStatus.NOT_PLACED, Decimal(0)))
    assert recheck(limits, more, gate, 0) is None


@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from(["dawn", "dusk", "noon"]),
            st.decimals("0.001", "0.1", places=3),
            st.sampled_from(["heard", "unknown", "filled", "cancelled", "silent"]),
        ),
        max_size=12,
    )
)
def test_open_pending_and_unknown_together_never_exceed_the_limits(
    orders: list[tuple[str, Decimal, str]],
) -> None:
    """I-17, whatever becomes of each order that was approved."""
    limits = attrs.evolve(
        LIMITS,
        allocations=dict.fromkeys(("dawn", "dusk", "noon"), Decimal(6_000)),
        positions_max=None,
        daily_loss_percent_max=None,
    )
    state = RiskState()
    for n, (bot, base, fate) in enumerate(orders):
        intent = order_intent(intent_id=f"i{n}", bot=bot, base=base)
        if isinstance(answer(intent, state, limits=limits), Approved):
            state.promise(intent, order_quote(intent, limits, NOW))
            become(state, intent, f"c{n}", fate)
        assert state.exposure_quote() <= limits.capital
        assert state.pending_quote == sum(p.quote for p in state.pending.values())


def become(state: RiskState, intent: OrderIntent, order_id: str, fate: str) -> None:
    if fate == "silent":
        return
    bot, base = intent.bot, intent.base
    state.apply(
        intended(intent_id=intent.intent_id, bot=bot, base=base, price=intent.price)
    )
    state.apply(attempted(intent.intent_id, order_id, bot=bot))
    match fate:
        case "unknown":
            state.apply(OutcomeUnknown(bot, "main", SYMBOL, order_id, "EOF"))
        case "filled":
            state.apply(
                filled(base, 50_000, bot=bot, client_order_id=order_id, trade_id=order_id)
            )
        case "cancelled":
            status = OrderStatus.CANCELED
            state.apply(Ended(bot, "main", SYMBOL, order_id, status, Decimal(0)))
        case _:
            pass


def test_an_exit_does_not_add_to_the_exposure() -> None:
    state = told(exit_intended(purpose=Purpose.EXIT), attempted("x1", "cx1"))
    assert state.exposure_quote() == 0
