"""The last word before an order exists: what bars an entry, and how much an exit sells."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    Acknowledged,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    ClockJudged,
    ExitIntent,
    ExitReason,
    Fact,
    Lease,
    OrderStatus,
    OutcomeUnknown,
    Purpose,
    Reconciled,
)
from actors.pure.order_gate import Gate, entry_of, exit_of, refusal, request_of
from tests.words import (
    BTC,
    SYMBOL,
    attempted,
    ended,
    exit_intended,
    filled,
    intended,
    order_intent,
    sold,
)

UNKNOWN = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "time-out")
PAUSED = BotPaused("dawn", "main", "holiday")
RESUMED = BotResumed("dawn", "main")
STOPPED = BotStopped("dawn", "main")
STARTED = BotStarted("dawn", "main")
BOUGHT = (intended(), attempted(), filled(1, 100), ended(OrderStatus.FILLED, "1"))


def gate(*facts: Fact, lease: Lease | None = None) -> Gate:
    made = Gate()
    made.hold(lease or Lease("main", 10.0))
    for fact in facts:
        made.apply(fact)
    return made


def code_of(bar: Decimal | tuple[str, str] | None) -> str:
    return bar[0] if isinstance(bar, tuple) else ""


def exit_intent(base: str = "1", **changes: Any) -> ExitIntent:
    plain = ExitIntent(
        "x9",
        "dawn",
        "main",
        "binance",
        SYMBOL,
        "c1",
        Decimal(base),
        ExitReason.STOP_LOSS,
        Decimal(100),
        "Auto-closed",
        5.0,
    )
    return attrs.evolve(plain, **changes)


@pytest.mark.parametrize(
    ("facts", "lease", "now_s", "code"),
    [
        ((), Lease("main", 10.0), 0.0, ""),
        ((), Lease("main", 10.0), 2.0, ""),  # valid until exactly then
        ((), Lease("main", 10.0), 2.1, "expired"),
        ((), Lease("main", 1.0), 1.5, "not_reconciled"),
        ((), Lease("main", 0.0), 0.1, "not_reconciled"),
        ((), Lease("main", 10.0, frozenset({SYMBOL})), 0.0, "frozen"),
        ((), Lease("main", 10.0, frozenset({"ETH/USDT"})), 0.0, ""),
        ((PAUSED,), None, 0.0, "paused"),
        ((PAUSED, RESUMED), None, 0.0, ""),
        ((STOPPED,), None, 0.0, "paused"),
        ((STOPPED, STARTED), None, 0.0, ""),
        ((PAUSED, STOPPED, STARTED), None, 0.0, "paused"),
        ((STOPPED, PAUSED, RESUMED), None, 0.0, "paused"),
        ((attrs.evolve(PAUSED, bot="dusk"),), None, 0.0, ""),
        ((intended(), attempted()), None, 0.0, "open_entry"),
        ((intended(), attempted(), UNKNOWN), None, 0.0, "unknown_order"),
        (BOUGHT, None, 0.0, ""),
        ((intended(), attempted(), ended(OrderStatus.REJECTED)), None, 0.0, ""),
    ],
)
def test_what_bars_an_entry(
    facts: tuple[Fact, ...], lease: Lease | None, now_s: float, code: str
) -> None:
    intent = order_intent(intent_id="i9")
    assert code_of(gate(*facts, lease=lease).bar_to_entry(intent, now_s, 0)) == code


def test_without_any_word_of_the_account_nothing_is_bought() -> None:
    """I-20: start-up sends nothing before it has reconciled."""
    assert code_of(Gate().bar_to_entry(order_intent(), 0.0, 0)) == "not_reconciled"


def test_a_clock_in_doubt_bars_entries_and_no_exit() -> None:
    """I-11, I-12."""
    made = gate(*BOUGHT)
    made.judge_clock(ClockJudged("binance", "our clock is +9000 ms from the exchange's"))
    bar = made.bar_to_entry(order_intent(intent_id="i9"), 0.0, 0)
    assert bar == ("clock_uncertain", "our clock is +9000 ms from the exchange's")
    assert made.exit_base(exit_intent(), BTC) == 1
    made.judge_clock(ClockJudged("binance", ""))
    assert made.bar_to_entry(order_intent(intent_id="i9"), 0.0, 0) is None


def test_an_unknown_exit_bars_new_risk_too() -> None:
    """R-02: any order of this bot and symbol whose outcome nobody knows."""
    facts = (*BOUGHT, exit_intended(), attempted("x1", "cx1"))
    unknown = attrs.evolve(UNKNOWN, client_order_id="cx1")
    bar = gate(*facts, unknown).bar_to_entry(order_intent(intent_id="i9"), 0.0, 0)
    assert code_of(bar) == "unknown_order"


def test_another_bots_orders_bar_nothing() -> None:
    other = order_intent(intent_id="i9", bot="dusk")
    assert gate(intended(), attempted()).bar_to_entry(other, 0.0, 0) is None


@pytest.mark.parametrize(
    ("facts", "base", "expected"),
    [
        (BOUGHT, "1", Decimal(1)),
        (BOUGHT, "5", Decimal(1)),  # never more than is held (I-13)
        (BOUGHT, "0.4", Decimal("0.4")),
        (BOUGHT, "0.000019", "below_minimum"),
        ((), "1", "no_position"),
        ((intended(), attempted()), "1", "no_position"),  # bought, not filled
        ((*BOUGHT, exit_intended(), attempted("x1", "cx1")), "1", "exit_in_flight"),
        (
            (*BOUGHT, exit_intended(base=Decimal("0.7")), attempted("x1", "cx1")),
            "1",
            Decimal("0.3"),
        ),
        (
            (*BOUGHT, exit_intended(), attempted("x1", "cx1"), sold("0.25", 99)),
            "1",
            "exit_in_flight",
        ),
        (
            (
                *BOUGHT,
                exit_intended(),
                attempted("x1", "cx1"),
                sold("0.25", 99),
                ended(OrderStatus.CANCELED, "0.25", "cx1"),
            ),
            "1",
            Decimal("0.75"),
        ),
    ],
)
def test_an_exit_sells_what_is_held_less_the_exits_in_flight(
    facts: tuple[Fact, ...], base: str, expected: Decimal | str
) -> None:
    answer = gate(*facts).exit_base(exit_intent(base), BTC)
    assert (answer if isinstance(answer, Decimal) else answer[0]) == expected


def test_an_exit_needs_no_lease_no_running_bot_and_no_known_outcome() -> None:
    """I-12: exits are never blocked by what forbids new risk."""
    made = gate(*BOUGHT, PAUSED, STOPPED, lease=Lease("main", 0.0, frozenset({SYMBOL})))
    assert made.exit_base(exit_intent(), BTC) == Decimal(1)


def test_an_unknown_exit_may_still_sell_so_no_second_one_may() -> None:
    """I-15: UNKNOWN counts as live."""
    facts = (*BOUGHT, exit_intended(), attempted("x1", "cx1"))
    made = gate(*facts, attrs.evolve(UNKNOWN, client_order_id="cx1"))
    assert code_of(made.exit_base(exit_intent(), BTC)) == "exit_in_flight"


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        ({"market_base_max": Decimal(0), "base_max": Decimal(0)}, "1"),
        ({"market_base_max": Decimal("0.4")}, "0.4"),
        ({"market_base_max": Decimal("0.41788297")}, "0.41788"),  # no multiple of the lot
        ({"market_base_max": Decimal(0), "base_max": Decimal("0.3")}, "0.3"),
        ({"market_base_max": Decimal("0.4"), "base_max": Decimal("0.3")}, "0.3"),
        ({"quote_max": Decimal(20)}, "0.2"),  # at 100
        ({"quote_max": Decimal(0)}, "1"),
    ],
)
def test_an_exit_is_no_larger_than_one_order_may_be(
    bounds: dict[str, Decimal], most: str
) -> None:
    """What the exchange refuses would be asked for again for ever (I-12)."""
    small = attrs.evolve(BTC, **bounds)
    assert gate(*BOUGHT).exit_base(exit_intent(), small) == Decimal(most)


@given(st.lists(st.decimals("0.00001", "0.6", places=5), max_size=6))
def test_live_exits_together_never_exceed_what_is_held(bases: list[Decimal]) -> None:
    """I-13, I-15, whatever is asked for, however often."""
    made = gate(*BOUGHT)
    for number, base in enumerate(bases):
        answer = made.exit_base(exit_intent(str(base)), BTC)
        if isinstance(answer, Decimal):
            made.apply(exit_intended(intent_id=f"x{number}", base=answer))
            made.apply(attempted(f"x{number}", f"cx{number}"))
    assert made.books.orders.exiting_base("dawn", SYMBOL) <= Decimal(1)


def test_what_an_exit_has_sold_untold_is_not_sold_again() -> None:
    """I-13: its end may be told before its last fills (simulation, seed 15)."""
    facts = (*BOUGHT, exit_intended(), attempted("x1", "cx1"), sold("0.25", 99))
    made = gate(*facts, ended(OrderStatus.FILLED, "1", "cx1"))
    assert code_of(made.exit_base(exit_intent(), BTC)) == "exit_in_flight"
    made.apply(sold("0.75", 99, trade_id="t9"))
    assert code_of(made.exit_base(exit_intent(), BTC)) == "no_position"


def test_nothing_is_bought_while_fills_of_an_ended_order_are_untold() -> None:
    made = gate(intended(), attempted(), ended(OrderStatus.FILLED, "1"))
    bar = made.bar_to_entry(order_intent(intent_id="i9"), 0.0, 0)
    assert code_of(bar) == "unknown_order"


def test_an_exit_waits_for_the_first_reconciliation_of_its_run() -> None:
    """I-20; what another run found says nothing."""
    made = Gate("run2")
    made.apply(Reconciled("main", "start", 0, 0, 0, (), 0, "run1"))
    assert not made.is_reconciled
    made.apply(Reconciled("main", "start", 0, 0, 0, (), 0, "run2"))
    assert made.is_reconciled


def test_a_life_that_begins_trusts_no_time_before_the_clock_has_spoken_to_it() -> None:
    """I-11: the life before it took the clock's last word with it."""
    made = Gate("run2")
    made.hold(Lease("main", 10.0))
    assert code_of(made.bar_to_entry(order_intent(), 0.0, 0)) == "clock_uncertain"
    made.judge_clock(ClockJudged("binance", ""))
    assert made.bar_to_entry(order_intent(), 0.0, 0) is None


def test_an_entry_becomes_the_order_that_was_decided_on() -> None:
    intent = order_intent(limit_price=Decimal(9), stop_price=Decimal(8))
    request = request_of(entry_of(intent), "c1")
    assert (request.base, request.limit_price, request.stop_price) == (
        intent.base,
        Decimal(9),
        Decimal(8),
    )


def test_an_exit_sells_at_the_market_and_knows_its_position() -> None:
    decided = exit_of(exit_intent(), Decimal("0.5"))
    assert (decided.purpose, decided.position_id, decided.exit_reason) == (
        Purpose.EXIT,
        "c1",
        ExitReason.STOP_LOSS,
    )
    assert request_of(decided, "c1").base == Decimal("0.5")


STOP = exit_intended(intent_id="p1", stop_price=Decimal(98), limit_price=Decimal("97.51"))
RESTS = (STOP, attempted("p1", "s1"), Acknowledged("dawn", "main", SYMBOL, "s1", "v"))


def stop_intent(base: str = "1") -> ExitIntent:
    return exit_intent(base, stop_price=Decimal(98), limit_price=Decimal("97.51"))


def test_what_the_resting_stop_locks_may_be_sold_in_its_place() -> None:
    made = gate(*BOUGHT, *RESTS)
    assert made.exit_base(exit_intent(), BTC) == Decimal(1)
    stop = made.replaced_by(exit_intent())
    assert stop is not None
    assert exit_of(exit_intent(), Decimal(1), stop.client_order_id).replaces == "s1"


@pytest.mark.parametrize(
    ("facts", "exit_", "stop"),
    [
        (RESTS[:2], "exit_in_flight", "exit_in_flight"),  # on its way
        (RESTS, Decimal(1), Decimal(1)),
        (
            (*RESTS[:2], attrs.evolve(UNKNOWN, client_order_id="s1")),
            Decimal(1),
            "exit_in_flight",
        ),
        (
            (*RESTS, sold("0.4", 98, client_order_id="s1")),
            "exit_in_flight",
            "exit_in_flight",
        ),
        (
            (*RESTS, exit_intended(replaces="s1"), attempted("x1", "cx1")),
            "exit_in_flight",
            "exit_in_flight",
        ),
    ],
)
def test_what_may_take_the_place_of_a_stop(
    facts: tuple[Fact, ...], exit_: Decimal | str, stop: Decimal | str
) -> None:
    made = gate(*BOUGHT, *facts)
    for wish, expected in ((exit_intent(), exit_), (stop_intent(), stop)):
        answer = made.exit_base(wish, BTC)
        assert (answer if isinstance(answer, Decimal) else answer[0]) == expected


def test_a_stop_beside_an_exit_is_refused() -> None:
    facts = (*BOUGHT, exit_intended(base=Decimal("0.4")), attempted("x1", "cx1"))
    assert code_of(gate(*facts).exit_base(stop_intent(), BTC)) == "exit_in_flight"


@pytest.mark.parametrize(
    ("base", "expected"), [("0.0513", "0.0513"), ("0.0512", "below_minimum")]
)
def test_a_stop_is_worth_the_least_notional_at_its_limit(base: str, expected: str) -> None:
    """R-42: 5 USDT at 97.51, not at the live price."""
    answer = gate(*BOUGHT).exit_base(stop_intent(base), BTC)
    assert (str(answer) if isinstance(answer, Decimal) else answer[0]) == expected


def test_a_refusal_names_the_wish_it_refuses() -> None:
    told = refusal(exit_intent(), Purpose.EXIT, "expired", "too late")
    assert (told.intent_id, told.code, told.reasons) == ("x9", "expired", ("too late",))
