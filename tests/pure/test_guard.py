"""One position under guard: recorded, trailed, sold, and never sold twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import (
    CancelIntent,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    Protection,
    Purpose,
    Refused,
    StopMoved,
)
from actors.pure.guard_steps import Ward
from actors.pure.watch import Watch
from tests.pure.guard_scene import BOTH, ENTRY, TRAILING, Scene, scene
from tests.words import (
    BTC,
    SYMBOL,
    attempted,
    ended,
    exit_intended,
    filled,
    intended,
    sold,
)


def test_a_filled_entry_is_recorded_with_its_levels() -> None:
    on = scene()
    assert on.look("100", 0.0) == [PositionOpened]
    assert on.steps[0] == PositionOpened(
        bot="dawn",
        account="main",
        exchange="binance",
        symbol=SYMBOL,
        position_id="c1",
        entry=Decimal(100),
        base=Decimal(1),
        stop_loss=Decimal(98),
        take_profit=Decimal(105),
        trailing_stop=None,
    )


def test_an_exit_does_not_wait_for_the_record_of_the_opening() -> None:
    assert scene().look("97", 0.0) == [ExitTriggered, ExitIntent, PositionOpened]


def test_a_partly_filled_entry_is_guarded_at_once_and_recorded_when_it_is_done() -> None:
    on = scene(BOTH, intended(), attempted(), filled("0.4", 100))
    on.guard.due_s = 5.0
    assert on.look("100", 1.0) == []
    on.tell(filled("0.6", 110, trade_id="t2"))
    assert on.look("110", 2.0) == [PositionOpened]
    assert isinstance(on.steps[0], PositionOpened)
    assert (on.steps[0].entry, on.steps[0].base) == (106, 1)


def test_a_resting_entry_is_recorded_at_the_next_check() -> None:
    on = scene(BOTH, intended(), attempted(), filled("0.4", 100))
    on.guard.due_s = 5.0
    assert on.look("100", 5.0) == [PositionOpened]


def test_a_stop_is_recorded_and_then_sold() -> None:
    on = scene()
    on.look("100", 0.0)
    assert on.look("97.5", 1.0) == [ExitTriggered, ExitIntent]
    wish = on.exits()[0]
    assert (wish.base, wish.reason, wish.price, wish.notes) == (
        1,
        ExitReason.STOP_LOSS,
        Decimal("97.5"),
        "Auto-closed by bot: Stop loss hit",
    )


def test_an_exit_is_asked_for_once() -> None:
    on = scene()
    on.look("97", 0.0)
    assert on.look("96", 1.0) == []
    on.begin_exit()
    assert on.look("95", 2.0) == []


def test_a_triggered_stop_stays_triggered_when_the_price_recovers() -> None:
    on = scene()
    on.look("97", 0.0)
    on.begin_exit()
    on.tell(ended(OrderStatus.EXPIRED, order_id="cx1"))
    assert on.look("101", 5.0) == [ExitIntent]


@pytest.mark.parametrize("price", ["97", None])
def test_a_partly_filled_exit_is_followed_by_the_rest(price: str | None) -> None:
    on = scene()
    on.look("97", 0.0)
    on.begin_exit()
    on.tell(sold("0.4", 97), ended(OrderStatus.EXPIRED, "0.4", "cx1"))
    assert on.look(price, 0.5) == [ExitIntent]
    assert on.exits()[-1].base == Decimal("0.6")


def test_an_exit_that_ends_empty_again_and_again_is_asked_for_ever_more_slowly() -> None:
    on, at_s = scene(), list[float]()
    on.look("97", 0.0)
    now_s = 0.0
    for n in range(6):
        on.begin_exit(f"cx{n}")
        on.tell(ended(OrderStatus.REJECTED, order_id=f"cx{n}"))
        while on.look("97", now_s) != [ExitIntent]:
            now_s += 0.25
        at_s.append(now_s)
    assert at_s == [1.0, 3.0, 7.0, 15.0, 31.0, 61.0]


def test_an_exit_that_is_proven_never_to_have_arrived_is_asked_for_again_at_once() -> None:
    on = scene()
    on.look("97", 0.0)
    for n in range(5):
        on.begin_exit(f"cx{n}")
        on.tell(OutcomeUnknown("dawn", "main", SYMBOL, f"cx{n}", "EOF"))
        assert on.look("97", 1.0 + 12 * n) == []
        on.tell(ended(OrderStatus.NOT_PLACED, order_id=f"cx{n}"))
        assert on.look("97", 2.0 + 12 * n) == [ExitIntent]


def test_a_refused_exit_is_asked_for_again() -> None:
    on = scene()
    on.look("97", 0.0)
    no = Refused(
        "dawn", "main", SYMBOL, on.exits()[0].intent_id, Purpose.EXIT, "expired", ("late",)
    )
    on.tell(no)
    assert (on.look("97", 0.5), on.look("97", 1.5)) == ([], [ExitIntent])


def test_an_exit_nobody_answers_is_asked_for_again_once_it_cannot_be_sent() -> None:
    on = scene()
    on.look("97", 0.0)
    assert (on.look("97", 6.9), on.look("97", 7.1)) == ([], [ExitIntent])
    assert on.exits()[0].intent_id != on.exits()[1].intent_id


def test_an_exit_that_rests_too_long_is_cancelled_and_again_while_it_lives() -> None:
    """R-41; a cancel that was lost would keep every other exit away for ever."""
    on = scene()
    on.look("97", 0.0)
    on.begin_exit()
    assert [on.look("97", at_s) for at_s in (1.0, 10.9, 11.1, 12.0, 41.0, 41.2, 60.0)] == [
        [],
        [],
        [CancelIntent],
        [],
        [],
        [CancelIntent],
        [],
    ]
    on.tell(ended(OrderStatus.CANCELED, order_id="cx1"))
    assert on.look("97", 61.0) == [ExitIntent]


def test_an_entry_whose_cancel_was_lost_is_cancelled_again_once_its_position_is_sold() -> (
    None
):
    """What it bought would be sold at once, and the bot begin nothing new meanwhile."""
    on = scene(BOTH, intended(), attempted(), filled("0.4", 100))
    on.look("105", 0.0)
    on.begin_exit()  # with it, the orders actor asks for a cancel
    on.tell(sold("0.4", 105), ended(OrderStatus.FILLED, "0.4", "cx1"))
    assert [on.look("105", at_s) for at_s in (1.0, 9.9, 10.1, 40.0, 41.0)] == [
        [],
        [],
        [CancelIntent],
        [],
        [CancelIntent],
    ]
    assert on.guard.is_restless(41.0)
    on.tell(ended(OrderStatus.CANCELED, "0.4"))
    assert on.look("105", 42.0) == [PositionClosed]


def test_an_unknown_exit_is_left_to_the_venue_s_evidence() -> None:
    on = scene()
    on.look("97", 0.0)
    on.begin_exit()
    on.tell(OutcomeUnknown("dawn", "main", SYMBOL, "cx1", "EOF"))
    assert [on.look("97", at_s) for at_s in (1.0, 60.0, 600.0)] == [[], [], []]


def test_a_bot_s_own_exit_is_not_doubled() -> None:
    """I-15: one exit at a time, whoever asked for it."""
    on = scene()
    on.look("100", 0.0)
    on.tell(exit_intended(exit_reason=ExitReason.SIGNAL), attempted("x1", "cx1"))
    assert on.look("97", 1.0) == []
    on.tell(sold(1, 97))
    assert on.look("97", 2.0) == [PositionClosed]
    assert isinstance(on.steps[-1], PositionClosed)
    assert on.steps[-1].exit_reason is ExitReason.SIGNAL


def test_a_sold_position_is_closed_with_its_result_and_its_dust() -> None:
    fee = {"fee": Decimal("0.001"), "fee_asset": "BTC"}
    on = scene(BOTH, intended(), attempted(), filled(1, 100, **fee))
    on.look("105", 0.0)
    on.begin_exit()
    part = sold("0.998", 105, fee=Decimal("0.1"))
    on.tell(part, ended(OrderStatus.EXPIRED, "0.998", "cx1"))
    assert on.look("105", 1.0) == [PositionClosed]
    assert on.steps[-1] == PositionClosed(
        bot="dawn",
        account="main",
        symbol=SYMBOL,
        position_id="c1",
        exit_reason=ExitReason.TAKE_PROFIT,
        exit_price=Decimal(105),
        pnl=Decimal("4.69"),
        dust_base=Decimal("0.001"),
        notes="Auto-closed by bot: Take profit hit",
    )
    assert on.watch.guards == {}


def test_what_may_still_be_sold_is_no_dust() -> None:
    on = scene()
    on.look("97", 0.0)
    on.begin_exit()
    on.tell(sold("0.9", 97), ended(OrderStatus.CANCELED, "0.9", "cx1"))
    assert on.look("97", 1.0) == [ExitIntent]  # 9.70 of at least 5


def test_an_adopted_sale_above_the_market_holds_up_no_exit_for_long() -> None:
    """I-12: nothing of it will be executed, and it locks what is to be sold."""
    on = scene()
    sale = exit_intended(
        order_type=OrderType.LIMIT, limit_price=Decimal(120), is_adopted=True
    )
    on.tell(sale, attempted("x1", "web1"))
    assert on.look("97", 0.0)[0] is ExitTriggered
    assert on.look("97", 1.0) == [CancelIntent]


def test_a_trailing_stop_moves_at_most_once_a_second() -> None:
    on = scene(TRAILING)
    on.look("100", 0.0)
    assert [on.look(price, at_s) for price, at_s in (("110", 1.0), ("120", 1.9))] == [
        [StopMoved],
        [],
    ]
    assert on.guard.levels.stop_loss == Decimal("108.35")
    assert on.look("120", 2.0) == [StopMoved]
    assert on.look("118.2", 3.0) == [ExitTriggered, ExitIntent]
    assert on.exits()[0].reason is ExitReason.TRAILING_STOP


def test_a_trailing_stop_follows_a_high_that_was_over_within_a_second() -> None:
    """It is the highest price since the entry, not that of the last recorded move."""
    on = scene(TRAILING)
    for price, at_s in (("100", 0.0), ("105", 1.0), ("110", 1.5)):
        on.look(price, at_s)
    assert on.look("106", 2.0) == [StopMoved, ExitTriggered, ExitIntent]
    assert on.guard.levels.stop_loss == Decimal("108.35")


def recalled(before: Scene, protection: Protection) -> Scene:
    """Return the next life: told every fact that the one before has recorded."""
    after = scene(protection, *ENTRY)
    for step in before.steps:
        if not isinstance(step, (ExitIntent, CancelIntent)):
            after.tell(step)
    return after


@pytest.mark.parametrize(
    "protection", [TRAILING, BOTH, Protection(), Protection(Decimal(50))], ids=str
)
def test_a_restart_finds_the_same_or_a_tighter_stop(protection: Protection) -> None:
    """R-15, whatever the settings say now."""
    on = scene(TRAILING)
    for n, price in enumerate(("100", "110", "104", "115")):
        on.look(price, float(n))
        again = recalled(on, protection)
        old, new = on.guard.levels.stop_loss, again.guard.levels.stop_loss
        assert old is not None
        assert new is not None
        assert new >= old


def test_a_restart_goes_on_with_a_triggered_exit() -> None:
    on = scene()
    on.look("97", 0.0)
    again = recalled(on, BOTH)
    assert again.look(None, 0.0) == [ExitIntent]


MORE = (
    ended(OrderStatus.FILLED, "1"),
    intended(intent_id="i2"),
    attempted("i2", "c2"),
    filled(1, 120, client_order_id="c2", trade_id="t2"),
)


@pytest.mark.parametrize(
    "wards",
    [{}, {"dawn": Ward("dawn", "main", "binance", SYMBOL, Protection(Decimal(10)))}],
    ids=["removed", "looser"],
)
@pytest.mark.parametrize(
    "protection", [BOTH, Protection(Decimal(2), None, Decimal(5))], ids=str
)
def test_a_position_that_grew_keeps_its_levels_whatever_became_of_its_bot(
    wards: dict[str, Ward], protection: Protection
) -> None:
    """R-15: only its beginning is recorded; the average entry has moved to 110."""
    on = scene(protection)
    on.look("100", 0.0)
    on.tell(*MORE)
    again = Scene(Watch("main", wards, {SYMBOL: BTC}))
    again.tell(*ENTRY, *on.steps, *MORE)
    assert again.guard.levels == on.guard.levels
    assert on.guard.levels.stop_loss == Decimal("107.80")
    assert ExitTriggered not in again.look("108", 1.0)


def test_a_bot_that_is_no_longer_configured_keeps_its_levels() -> None:
    on = scene()
    on.look("100", 0.0)
    again = Scene(Watch("main", {}, {SYMBOL: BTC}))
    again.tell(*ENTRY, *on.steps)
    assert again.look("97", 1.0) == [ExitTriggered, ExitIntent]


def test_positions_of_two_bots_are_separate() -> None:
    """R-09: one bot's stop sells only what that bot's orders bought."""
    on = scene()
    on.tell(
        intended(bot="dusk", intent_id="i2"),
        attempted("i2", "d1", bot="dusk"),
        filled(3, 90, bot="dusk", client_order_id="d1", trade_id="t2"),
    )
    on.look("97", 0.0)
    assert [wish.base for wish in on.exits()] == [1]
