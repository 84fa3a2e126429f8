"""What a group of two legs asks for next, whatever became of each leg."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    BotPaused,
    BotResumed,
    Fact,
    Halted,
    HaltLifted,
    LegsSettled,
    OrderStatus,
    OutcomeUnknown,
)
from actors.pure.leg_group import ABSENT_S, SETTLE_S, Halt, Hedge, LegGroups, Settle
from tests.pure.leg_words import (
    BUY,
    GROUP,
    SELL,
    begun,
    fill,
    inventory,
    over,
    refused,
    whole,
)
from tests.words import SYMBOL

LEAST = Decimal("0.01")
CANCELED = OrderStatus.CANCELED
REJECTED = OrderStatus.REJECTED


def groups(*facts: Fact | Sequence[Fact]) -> LegGroups:
    """Return the fold of an inventory of two coins on both sides, the group, and these."""
    found = LegGroups({"dawn", "dusk"})
    for fact in [*inventory(BUY, 2), *inventory(SELL, 2), GROUP]:
        found.apply(fact, 0.0)
    for each in facts:
        told = each if isinstance(each, Sequence) else [each]
        for fact in told:
            found.apply(fact, 0.0)
    return found


def steps(found: LegGroups, now_s: float = 0.1) -> list[str]:
    """Return what is asked for until nothing more is; halts and ends are carried out."""
    said: list[str] = []
    while (step := found.next_step(now_s, LEAST)) is not None:
        match step:
            case Halt(halts=halts):
                said.append("halt")
                for halted in halts:
                    found.apply(halted, now_s)
            case Hedge(base=base, intent_id=intent_id):
                said.append(f"hedge {base} as {intent_id}")
                found.asked(step, now_s)
            case Settle(settled=settled):
                said.append("matched" if settled.is_matched else "not matched")
                found.apply(settled, now_s)
    return said


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([whole(BUY), whole(SELL)], ["matched"]),
        ([refused(BUY), refused(SELL)], ["matched"]),
        ([whole(BUY), begun(SELL)], []),
        ([begun(BUY), begun(SELL)], []),
        ([whole(BUY), refused(SELL)], ["halt", "hedge 1 as g1/hedge/1"]),
        ([whole(BUY), begun(SELL), over(SELL, REJECTED)],
         ["halt", "hedge 1 as g1/hedge/1"]),
        (
            [whole(BUY), begun(SELL), fill(SELL, "0.4"), over(SELL, CANCELED, "0.4")],
            ["halt", "hedge 0.6 as g1/hedge/1"],
        ),
        ([refused(BUY), whole(SELL)], ["halt", "not matched"]),
        ([begun(BUY), over(BUY, REJECTED), whole(SELL)], ["halt", "not matched"]),
        (
            [begun(BUY), fill(BUY, "0.995"), over(BUY, CANCELED, "0.995"), begun(SELL),
             fill(SELL, "0.99"), over(SELL, CANCELED, "0.99")],
            ["halt", "not matched"],  # the excess is less than can be sold
        ),
    ],
)  # fmt: skip
def test_each_pair_of_ends_has_its_answer(
    facts: list[Fact | Sequence[Fact]], expected: list[str]
) -> None:
    assert steps(groups(*facts)) == expected


def test_a_hedge_that_was_executed_ends_the_group() -> None:
    found = groups(whole(BUY), refused(SELL))
    assert steps(found) == ["halt", "hedge 1 as g1/hedge/1"]
    for fact in whole(BUY, 1, "g1/hedge/1"):
        found.apply(fact, 0.2)
    step = found.next_step(1.5, LEAST)
    assert isinstance(step, Settle)
    assert step.settled == LegsSettled(
        "dawn", "main", SYMBOL, "g1", Decimal(1), Decimal(0), Decimal(1), False,
        "bought 1, sold 0 (refused not_reconciled: because), 1 of it sold again",
    )  # fmt: skip


def test_a_refused_hedge_is_asked_for_again_under_another_id() -> None:
    found = groups(whole(BUY), refused(SELL))
    assert steps(found) == ["halt", "hedge 1 as g1/hedge/1"]
    found.apply(refused(BUY, "exit_in_flight", "g1/hedge/1"), 0.2)
    assert steps(found, 0.3) == []
    assert steps(found, 1.2) == ["hedge 1 as g1/hedge/2"]


def test_a_hedge_that_two_lives_asked_for_is_waited_for_though_one_wish_came_late() -> None:
    found = groups(whole(BUY), refused(SELL))
    assert steps(found) == ["halt", "hedge 1 as g1/hedge/1"]
    hedge = "g1/hedge/1"
    for fact in (refused(BUY, "expired", hedge), *begun(BUY, 1, hedge)):
        found.apply(fact, 0.2)
    assert steps(found, 2.0) == []


def test_a_hedge_that_got_a_part_is_followed_by_the_rest() -> None:
    found = groups(whole(BUY), refused(SELL))
    steps(found)
    part = [*begun(BUY, 1, "g1/hedge/1"), fill(BUY, "0.3", "g1/hedge/1"),
            over(BUY, OrderStatus.EXPIRED, "0.3", "g1/hedge/1")]  # fmt: skip
    for fact in part:
        found.apply(fact, 0.2)
    assert steps(found, 2.0) == ["hedge 0.7 as g1/hedge/2"]


def test_a_group_is_hedged_on_however_many_hedges_the_venue_rejects() -> None:
    """A market that is shut for a minute rejects one each second; it opens again."""
    found = groups(whole(BUY), refused(SELL))
    assert steps(found) == ["halt", "hedge 1 as g1/hedge/1"]
    part = [*begun(BUY, 1, "g1/hedge/1"), fill(BUY, "0.3", "g1/hedge/1"),
            over(BUY, OrderStatus.EXPIRED, "0.3", "g1/hedge/1")]  # fmt: skip
    for fact in part:
        found.apply(fact, 0.2)
    for number in range(2, 100):
        hedge = f"g1/hedge/{number}"
        assert steps(found, number * 2.0) == [f"hedge 0.7 as {hedge}"]
        for fact in (*begun(BUY, "0.7", hedge), over(BUY, REJECTED, 0, hedge)):
            found.apply(fact, number * 2.0)


def test_an_unknown_sale_is_waited_for_and_then_counts_as_none() -> None:
    """The halt and the hedge do not wait for its evidence; the end of the group does."""
    lost = OutcomeUnknown("dusk", "second", SYMBOL, "g1/sell", "no answer")
    found = groups(whole(BUY), begun(SELL), lost)
    assert steps(found, SETTLE_S - 0.1) == []
    assert steps(found, SETTLE_S) == ["halt", "hedge 1 as g1/hedge/1"]
    for fact in whole(BUY, 1, "g1/hedge/1"):
        found.apply(fact, SETTLE_S + 1)
    assert steps(found, SETTLE_S + 60) == []
    for fact in (fill(SELL, 1), over(SELL, OrderStatus.FILLED, 1)):
        found.apply(fact, SETTLE_S + 61)
    assert steps(found, SETTLE_S + 62) == ["not matched"]


def test_two_unknown_legs_are_waited_for_without_a_halt() -> None:
    """As after a crash: the venues say later that they never had them."""
    found = groups(begun(BUY), begun(SELL))
    assert steps(found, SETTLE_S + 60) == []
    for fact in (over(BUY, OrderStatus.NOT_PLACED), over(SELL, OrderStatus.NOT_PLACED)):
        found.apply(fact, SETTLE_S + 61)
    assert steps(found, SETTLE_S + 61) == ["matched"]


def test_an_unknown_purchase_that_was_executed_is_found_matched() -> None:
    lost = OutcomeUnknown("dawn", "main", SYMBOL, "g1/buy", "no answer")
    found = groups(begun(BUY), lost, whole(SELL))
    assert steps(found, SETTLE_S) == ["halt"]
    for fact in (fill(BUY, 1), over(BUY, OrderStatus.FILLED, 1)):
        found.apply(fact, SETTLE_S + 1)
    assert steps(found, SETTLE_S + 1) == ["matched"]


def test_legs_that_nobody_heard_of_never_left() -> None:
    """A crash after the group was durable and before either leg left."""
    found = groups()
    assert steps(found, ABSENT_S - 0.1) == []
    assert steps(found, ABSENT_S) == ["matched"]


def test_a_life_between_the_legs_answers_for_both() -> None:
    """A crash after one leg left: the other never does."""
    found = groups(whole(BUY))
    assert steps(found, SETTLE_S) == ["halt", "hedge 1 as g1/hedge/1"]


def test_no_more_is_hedged_than_is_held() -> None:
    """The fee of a purchase may be taken from the coins."""
    found = LegGroups({"dawn", "dusk"})
    first, second, bought, end = whole(BUY)
    assert not isinstance(bought, Sequence)
    net = fill(BUY, 1, fee=Decimal("0.001"), fee_asset="BTC")
    for fact in [GROUP, first, second, net, end, refused(SELL)]:
        found.apply(fact, 0.0)
    assert steps(found) == ["halt", "hedge 0.999 as g1/hedge/1"]


def test_facts_told_twice_and_those_of_others_change_nothing() -> None:
    other = attrs.evolve(GROUP, bot="noon", group_id="g9")
    found = groups(whole(BUY), whole(BUY), other, whole(SELL), whole(SELL))
    assert steps(found) == ["matched"]


def test_a_halt_bars_the_next_group_until_it_is_lifted_on_both() -> None:
    found = groups(refused(BUY), whole(SELL))
    steps(found)
    reason = (
        "the legs of g1 do not match: bought 0 (refused not_reconciled: because), sold 1"
    )
    assert found.bar(0) == ("halted", f"dawn: legs until it is resumed: {reason}")
    found.apply(HaltLifted("dawn", "main", "legs"), 1.0)
    assert found.bar(0) == ("halted", f"dusk: legs until it is resumed: {reason}")
    found.apply(HaltLifted("dusk", "second", "legs"), 1.0)
    assert found.bar(0) is None


def test_a_pause_of_either_bot_bars_the_next_group() -> None:
    found = groups()
    found.apply(BotPaused("dusk", "second", "lunch"), 0.0)
    assert found.bar(0) == ("paused", "dusk: lunch")
    found.apply(BotResumed("dusk", "second"), 0.0)
    assert found.bar(0) is None


parts = st.decimals("0", "1", places=2)


@given(parts, parts, st.booleans())
def test_the_excess_is_sold_and_nothing_beyond_it(
    bought: Decimal, sold: Decimal, is_recalled: bool
) -> None:
    """Whatever the two legs got; a life begun anywhere in between ends the same way."""
    ends: list[Fact] = []
    for leg, base in ((BUY, bought), (SELL, sold)):
        ends += begun(leg)
        ends += [fill(leg, base)] if base else []
        ends.append(over(leg, OrderStatus.FILLED if base == 1 else CANCELED, base))
    found, told = groups(ends), [GROUP, *ends]
    hedged = Decimal(0)
    for now in range(20):
        for each in _answered(found, float(now * 2), told):
            hedged += each
        if is_recalled:
            found = _recalled(told)
    excess = max(Decimal(0), bought - sold)
    assert hedged == (excess if excess >= LEAST else 0)
    (settled,) = [fact for fact in told if isinstance(fact, LegsSettled)]
    assert (settled.bought, settled.sold, settled.hedged) == (bought, sold, hedged)
    assert settled.is_matched == (bought == sold)
    assert bool([fact for fact in told if isinstance(fact, Halted)]) == (bought != sold)


def _answered(found: LegGroups, now_s: float, told: list[Fact]) -> Iterable[Decimal]:
    """Do the next step as the actors would; return what a hedge sold."""
    step = found.next_step(now_s, LEAST)
    facts: list[Fact] = []
    match step:
        case Halt(halts=halts):
            facts += halts
        case Settle(settled=settled):
            facts.append(settled)
        case Hedge(base=base, intent_id=intent_id):
            found.asked(step, now_s)
            facts += whole(BUY, base, intent_id)
            yield base
        case None:
            pass
    told += facts
    for fact in facts:
        found.apply(fact, now_s)


def _recalled(told: Iterable[Fact]) -> LegGroups:
    found = LegGroups({"dawn", "dusk"})
    for fact in [*inventory(BUY, 2), *inventory(SELL, 2), *told]:
        found.apply(fact, -ABSENT_S)
    return found
