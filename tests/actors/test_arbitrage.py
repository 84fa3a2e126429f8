"""Both legs of a group: asked for, durable, sent, and answered for when one fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from actors.messages import (
    Attempted,
    ExitIntent,
    ExitReason,
    Filled,
    Halted,
    HaltLifted,
    Intended,
    LegsIntended,
    LegsSettled,
    OrderIntent,
    OrderStatus,
    Refused,
    Side,
    VenueAck,
    VenueReject,
    VenueReplaced,
)
from actors.pure.leg_group import ABSENT_S, SETTLE_S
from tests.actors.ledger_room import settle, taken
from tests.actors.legs_house import LegsHouse, executed, open_legs_house
from tests.pure.leg_words import BUY as BUY_LEG
from tests.pure.leg_words import GROUP, inventory, over, resting_stop, whole
from tests.pure.leg_words import SELL as SELL_LEG

ONE_CENT = ("100", "102")  # kraken pays two per cent more
NO = VenueReject("", "-2010", "Account has insufficient balance for requested action.")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[LegsHouse]:
    async with open_legs_house(tmp_path) as found:
        await found.stock()
        yield found


def placed(house: LegsHouse) -> dict[str, list[tuple[Side, Decimal]]]:
    """Return what each venue was asked for."""
    return {
        side.leg.exchange: [(it.side, it.base) for it in side.trading.placed]
        for side in (house.dawn, house.dusk)
    }


async def test_both_legs_leave_after_the_group_is_durable(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    house.dawn.trading.answers = [executed(Side.BUY, "5", "100")]
    house.dusk.trading.answers = [executed(Side.SELL, "5", "102")]
    await house.start_doors()
    await house.start()
    await house.price(*ONE_CENT)
    await trio.sleep(1)

    assert placed(house) == {
        "binance": [(Side.BUY, Decimal(5))],
        "kraken": [(Side.SELL, Decimal(5))],
    }
    facts = await house.room.recorded(LegsIntended, Attempted, LegsSettled)
    assert [type(fact) for fact in facts[1:]] == [
        LegsIntended,
        Attempted,
        Attempted,
        LegsSettled,
    ]
    settled = facts[-1]
    assert isinstance(settled, LegsSettled)
    (sale,) = [it for it in await house.room.recorded(Intended)
               if it.intent_id == settled.group_id + "/sell"]  # fmt: skip
    assert sale.exit_reason is ExitReason.LEG  # the monitor lets the rest be held
    assert (settled.bought, settled.sold, settled.is_matched) == (5, 5, True)
    assert await house.room.recorded(Halted) == []


async def test_a_leg_that_one_door_refuses_keeps_the_other_at_home(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    await house.start_doors()
    await house.lease(house.dusk, -1.0)
    await house.start()
    await house.price(*ONE_CENT)
    await trio.sleep(1)

    assert placed(house) == {"binance": [], "kraken": []}
    assert await house.room.recorded(LegsIntended) == []
    (refused,) = await house.room.recorded(Refused)
    assert (refused.bot, refused.code) == ("dawn", "not_reconciled")


async def test_without_an_inventory_nothing_leaves(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    await house.start_doors()
    await house.start()
    await house.price("102", "100")  # dawn would have to sell, and holds nothing
    await trio.sleep(1)

    assert placed(house) == {"binance": [], "kraken": []}
    (refused,) = await house.room.recorded(Refused)
    assert refused.code == "no_position"


async def test_a_leg_is_sold_from_under_the_stop_that_guards_its_inventory(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    gone = VenueAck("dusk/stop", "v1", OrderStatus.CANCELED, Decimal(0), 0)
    sale = executed(Side.SELL, "5", "102")
    house.dawn.trading.answers = [executed(Side.BUY, "5", "100")]
    house.dusk.trading.replaced = [VenueReplaced(gone, sale)]
    await house.room.record(*resting_stop(SELL_LEG, "5"))
    await house.start_doors()
    await house.start()
    await house.price(*ONE_CENT)
    await trio.sleep(1)

    assert await house.room.recorded(Refused) == []
    (settled,) = await house.room.recorded(LegsSettled)
    assert (settled.bought, settled.sold, settled.is_matched) == (5, 5, True)


async def test_a_halted_leg_keeps_both_at_home(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    """The seller's account alone is halted: risk there says no before anything left."""
    await house.start_doors()
    await house.start()
    await house.room.record(Halted("", "second", "daily_loss", "lost", 0))
    await house.price(*ONE_CENT)
    await trio.sleep(1)

    assert placed(house) == {"binance": [], "kraken": []}
    assert [each.code for each in await house.room.recorded(Refused)] == ["halted"]


async def test_what_was_bought_and_not_sold_is_sold_again_and_the_bots_are_halted(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    house.dawn.trading.answers = [
        executed(Side.BUY, "5", "100"),
        executed(Side.SELL, "5", "99", "t2"),
    ]
    house.dusk.trading.answers = [NO]
    await house.start_doors()
    await house.start()
    await house.price(*ONE_CENT)
    await trio.sleep(3)
    await house.price(*ONE_CENT)
    await trio.sleep(3)

    assert placed(house) == {
        "binance": [(Side.BUY, Decimal(5)), (Side.SELL, Decimal(5))],
        "kraken": [(Side.SELL, Decimal(5))],
    }
    (settled,) = await house.room.recorded(LegsSettled)
    assert (settled.bought, settled.sold, settled.hedged) == (5, 0, 5)
    assert not settled.is_matched
    halts = await house.room.recorded(Halted)
    assert [(each.bot, each.account, each.code) for each in halts] == [
        ("dawn", "main", "legs"),
        ("dusk", "second", "legs"),
    ]
    (alarm,) = [each for each in house.alarms() if not each.is_over]
    assert alarm.code == "legs"


async def test_after_a_halt_nothing_is_begun_until_both_are_resumed(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    for bot, account in (("dawn", "main"), ("dusk", "second")):
        await house.room.record(Halted(bot, account, "legs", "", 0))
    await house.start_doors()
    await house.start()
    await house.price(*ONE_CENT)
    await house.room.record(HaltLifted("dawn", "main", "legs"))
    await trio.sleep(2)
    await house.price(*ONE_CENT)
    before = placed(house)
    await house.room.record(HaltLifted("dusk", "second", "legs"))
    await trio.sleep(2)
    await house.price(*ONE_CENT)

    assert before == {"binance": [], "kraken": []}
    assert [len(each) for each in placed(house).values()] == [1, 1]
    assert [each.is_over for each in house.alarms()][-1]


async def test_an_unknown_sale_is_hedged_before_its_evidence_comes(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    house.dawn.trading.answers = [
        executed(Side.BUY, "5", "100"),
        executed(Side.SELL, "5", "99", "t2"),
    ]
    house.dusk.trading.answers = [None]
    await house.start_doors()
    await house.start()
    await house.price(*ONE_CENT)
    await trio.sleep(SETTLE_S + 1)

    assert placed(house)["binance"] == [(Side.BUY, Decimal(5)), (Side.SELL, Decimal(5))]
    assert await house.room.recorded(LegsSettled) == []
    attempts = await house.room.recorded(Attempted)
    assert [each.bot for each in attempts].count("dusk") == 2  # the stock and the sale


@pytest.mark.parametrize("left", ["none", "buy"])
async def test_a_life_that_begins_between_the_legs_answers_for_both(
    house: LegsHouse, left: str, autojump_clock: trio.abc.Clock
) -> None:
    """Crash in the middle: the group is durable, and one leg left or none."""
    house.dawn.trading.answers = [executed(Side.SELL, "1", "99", "t2")]
    await house.room.record(GROUP, *(whole(BUY_LEG) if left == "buy" else ()))
    await house.start_doors()
    await house.start()
    await trio.sleep(ABSENT_S + 2)

    hedges = [(Side.SELL, Decimal(1))] if left == "buy" else []
    assert placed(house) == {"binance": hedges, "kraken": []}
    (settled,) = await house.room.recorded(LegsSettled)
    assert (settled.bought, settled.hedged) == ((1, 1) if left == "buy" else (0, 0))
    assert bool(await house.room.recorded(Halted)) == (left == "buy")


async def test_a_hedge_is_sent_once_however_often_a_life_ends(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    await house.room.record(GROUP, *whole(BUY_LEG))
    await house.start_doors()
    life = await house.start()
    await trio.sleep(SETTLE_S + 1)
    life.cancel()
    await settle()
    await house.start()
    await trio.sleep(SETTLE_S + 1)

    assert placed(house)["binance"] == [(Side.SELL, Decimal(1))]
    hedges = [it for it in await house.room.recorded(Intended) if "hedge" in it.intent_id]
    assert [it.intent_id for it in hedges] == ["g1/hedge/1"]


async def test_a_sale_does_not_leave_by_the_emergency_file_while_its_purchase_cannot(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    """D-2: it is half of something new, and no exit."""
    await house.start_doors()
    await house.start()
    house.room.disk.refuses = Intended
    await house.price(*ONE_CENT)
    await trio.sleep(ABSENT_S + 2)
    assert placed(house) == {"binance": [], "kraken": []}


async def test_a_hedge_by_the_emergency_file_is_sent_once_though_no_row_tells_of_it(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    """I-4: the disk is full, and the inventory would be sold again every ten seconds."""
    await house.room.record(*inventory(BUY_LEG, 5), GROUP, *whole(BUY_LEG))
    house.dawn.trading.answers = [executed(Side.SELL, "1", "99", "t2")]
    await house.start_doors()
    await house.start()
    house.room.disk.error = OSError(28, "no space left on device")
    await trio.sleep(SETTLE_S + 3 * ABSENT_S)
    assert placed(house)["binance"] == [(Side.SELL, Decimal(1))]


async def test_a_hedge_that_nobody_took_is_asked_for_again_at_once(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    await house.room.record(GROUP, *whole(BUY_LEG))
    for number in range(64):
        await house.dawn.orders.wish(number)
    await house.start()
    await trio.sleep(SETTLE_S + 2)
    taken(house.dawn.orders)
    await trio.sleep(2)
    asked = [it for it in taken(house.dawn.orders) if isinstance(it, ExitIntent)]
    assert [it.intent_id for it in asked] == ["g1/hedge/1"]


async def test_while_the_journal_is_down_no_leg_leaves(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    """I-2 for the group: what is not durable is not sent."""
    await house.start_doors()
    await house.start()
    house.room.disk.error = OSError(28, "no space left on device")
    await house.price(*ONE_CENT)
    await trio.sleep(10)

    assert placed(house) == {"binance": [], "kraken": []}


async def test_an_inventory_is_bought_once_on_each_side(
    tmp_path: Path, autojump_clock: trio.abc.Clock
) -> None:
    async with open_legs_house(tmp_path) as house:
        legs = tuple(
            attrs.evolve(leg, inventory_percent=Decimal(50)) for leg in house.settings.legs
        )
        house.settings = attrs.evolve(house.settings, legs=legs)
        await house.start()
        await house.price("100", "100")
        await trio.sleep(1.5)
        (first,) = [it for it in taken(house.dawn.risk) if isinstance(it, OrderIntent)]
        assert (first.bot, first.side, first.base) == ("dawn", Side.BUY, 50)
        await house.room.record(*inventory(BUY_LEG, 50))
        await house.price("100", "100")
        (second,) = [it for it in taken(house.dusk.risk) if isinstance(it, OrderIntent)]
        assert (second.bot, second.account, second.base) == ("dusk", "second", 50)
        await house.room.record(*inventory(SELL_LEG, 50))
        await house.price("100", "100")
        await trio.sleep(3)
        more: list[Any] = [*taken(house.dawn.risk), *taken(house.dusk.risk)]
        assert [it for it in more if isinstance(it, OrderIntent)] == []


async def test_late_evidence_of_a_lost_sale_ends_the_group(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    await house.room.record(GROUP, *whole(BUY_LEG), *whole(SELL_LEG)[:2])
    house.dawn.trading.answers = [executed(Side.SELL, "1", "99", "t2")]
    await house.start_doors()
    await house.start()
    await trio.sleep(SETTLE_S + 2)
    assert await house.room.recorded(LegsSettled) == []
    _, _, fill, _ = whole(SELL_LEG)
    await house.room.record(fill, over(SELL_LEG, OrderStatus.FILLED, 1))
    await trio.sleep(2)

    (settled,) = await house.room.recorded(LegsSettled)
    assert (settled.bought, settled.sold, settled.hedged) == (1, 1, 1)
    assert not settled.is_matched
    assert len(await house.room.recorded(Filled)) == 4  # with the inventory's


async def test_an_end_that_the_ledger_takes_late_does_not_end_the_next_group(
    house: LegsHouse, autojump_clock: trio.abc.Clock
) -> None:
    """The next one is durable before it, and its sale is refused after it."""
    legs = [attrs.evolve(leg, capital=Decimal(1_000)) for leg in house.settings.legs]
    house.settings = attrs.evolve(house.settings, legs=(legs[0], legs[1]))
    house.dawn.trading.answers = [
        executed(Side.BUY, "1", "100", "t1"),
        executed(Side.BUY, "1", "100", "t2"),
        executed(Side.SELL, "1", "99", "t3"),
    ]
    house.dusk.trading.answers = [executed(Side.SELL, "1", "102", "t4"), NO]
    await house.start_doors()
    await house.start()
    house.room.disk.refuses = LegsSettled
    await house.price(*ONE_CENT)
    await trio.sleep(0.1)
    house.dusk.trading.answer_s = 2.0
    await house.price(*ONE_CENT)
    await trio.sleep(SETTLE_S)

    first, second = await house.room.recorded(LegsSettled)
    assert (first.is_matched, second.is_matched) == (True, False)
    assert (second.bought, second.sold, second.hedged) == (1, 0, 1)
    assert len(await house.room.recorded(Halted)) == 2
