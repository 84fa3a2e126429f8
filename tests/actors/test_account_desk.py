"""What an operator settles by hand: the venue is asked first; all of it or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Asked,
    Attempted,
    Commanded,
    Corrected,
    Ended,
    Filled,
    OrderStatus,
    OutcomeUnknown,
    VenueBalance,
)
from actors.ports import Archived, VenueError
from actors.questions import Answer, Question, ask
from actors.records import Receipt
from tests.actors.account_house import ID, House, open_house, venue_fill, venue_order
from tests.actors.ledger_room import settle
from tests.words import SYMBOL, attempted, filled, intended

OPEN, UNKNOWN = OrderStatus.OPEN, OutcomeUnknown("dawn", "main", SYMBOL, ID, "time-out")
BITCOIN = VenueBalance("BTC", Decimal(1), Decimal(0))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def tell(house: House, verb: str, subject: str = ID, **more: Any) -> Answer:
    asked = Asked(verb, subject, "seen on the web", "ann", **more)
    return await ask(house.mailbox, asked, who="the account", wait_s=7)


async def lose_an_order(house: House) -> None:
    """Let one order be UNKNOWN, which passes cannot judge, old enough to be settled."""
    await house.start()
    house.trading.errors["past_orders"] = VenueError("HTTP 503")
    await house.attempt()
    await house.room.record(UNKNOWN)
    await house.wait(21)


async def lack_two(house: House) -> None:
    """Let the exchange hold one coin of three."""
    house.trading.held = [BITCOIN]
    await house.room.record(filled(3, 100))
    await house.start()
    await house.wait(10)


async def test_an_order_that_the_venue_does_not_know_is_settled(
    house: House, autojump_clock: MockClock
) -> None:
    """R-02: in one commit with the command itself (S-8)."""
    await lose_an_order(house)
    house.trading.errors.clear()
    answer = await tell(house, "settle", outcome="not-placed", key="k1")
    said = f"{ID} of dawn is settled as not-placed: the exchange, asked just now, says that"
    assert answer == {"said": f"{said} it knows no such order"}
    command, end = (await house.room.recorded(Commanded, Ended))[-2:]
    assert isinstance(command, Commanded)
    assert (command.verb, command.by, command.key) == ("settle", "ann", "k1")
    assert isinstance(end, Ended)
    assert (end.status, end.code) == (OrderStatus.NOT_PLACED, "settled")


async def test_an_archived_order_is_settled_though_the_venue_answers_with_an_error(
    house: House, autojump_clock: MockClock
) -> None:
    await lose_an_order(house)
    house.trading.errors["order"] = Archived("-2026: archived")
    answer = await tell(house, "settle", outcome="canceled")
    said = "the exchange, asked just now, says that it ended unfilled, long ago"
    assert answer == {"said": f"{ID} of dawn is settled as canceled: {said}"}
    (end,) = await house.room.recorded(Ended)
    assert (end.status, end.filled_base) == (OrderStatus.CANCELED, 0)


async def test_what_the_venue_knows_is_booked_from_there(
    house: House, autojump_clock: MockClock
) -> None:
    await lose_an_order(house)
    house.trading.errors.clear()
    house.trading.orders[ID] = venue_order(OPEN)
    answer = await tell(house, "settle", outcome="not-placed")
    assert answer == {
        "error": f"the exchange says of {ID}: it is open, 0 of 1 filled;"
        " that is booked from there"
    }
    await house.wait(2)
    assert await house.room.recorded(Ended) == []


async def test_an_execution_alone_is_evidence(
    house: House, autojump_clock: MockClock
) -> None:
    """R-03: listed in the executions only."""
    await lose_an_order(house)
    house.trading.errors.clear()
    house.trading.executed.append(venue_fill("t1", "0.4"))
    answer = await tell(house, "settle", outcome="not-placed")
    assert "0.4 of it was executed" in answer["error"]
    assert await house.room.recorded(Ended) == []


@pytest.mark.parametrize("trouble", ["error", "silence"])
async def test_a_venue_that_does_not_answer_settles_nothing_unless_blind(
    house: House, autojump_clock: MockClock, trouble: str
) -> None:
    """R-02: an hour of lost status replies."""
    await lose_an_order(house)
    if trouble == "silence":
        house.trading.hang = "past_orders"
    answer = await tell(house, "settle", outcome="not-placed")
    assert answer["error"].startswith("the exchange does not answer")
    assert answer["error"].endswith("nothing was done; --blind settles it unasked")
    assert await house.room.recorded(Ended, Commanded) == []
    answer = await tell(house, "settle", outcome="not-placed", is_blind=True)
    assert answer == {"said": f"{ID} of dawn is settled as not-placed: unasked"}
    assert [end.status for end in await house.room.recorded(Ended)] == [
        OrderStatus.NOT_PLACED
    ]


async def test_executions_of_an_order_settled_as_filled_count_once(
    house: House, autojump_clock: MockClock
) -> None:
    """R-11: what the venue tells later is what the operator has told before."""
    await lose_an_order(house)
    price = "100"
    answer = await tell(house, "settle", outcome="filled", price=price, is_blind=True)
    assert "said" in answer
    house.trading.errors.clear()
    house.trading.stream.tell(venue_fill("t1", "1"))
    await house.wait(70)
    assert [fill.base for fill in await house.room.recorded(Filled)] == [1]


async def test_executions_that_a_pass_has_asked_for_meanwhile_count_once(
    house: House, autojump_clock: MockClock
) -> None:
    """R-11: it waits for word of another order as an operator settles the first."""
    await lose_an_order(house)
    other = f"{ID[:-2]}00"
    attempt = attempted("i2", other, attempt_ms=house.trading.now_ms())
    await house.room.record(attrs.evolve(intended(), intent_id="i2"), attempt)
    house.trading.hang_for = other
    house.trading.orders[ID] = venue_order(OrderStatus.FILLED, "1")
    house.trading.executed.append(venue_fill("t1", "1"))
    house.trading.errors.clear()
    asked = len(house.trading.asked_for("order"))
    while len(house.trading.asked_for("order")) < asked + 2:
        await house.wait(0.2)
    price = "100"
    answer = await tell(house, "settle", outcome="filled", price=price, is_blind=True)
    assert "said" in answer
    await house.wait(70)
    assert [fill.base for fill in await house.room.recorded(Filled)] == [1]


async def test_an_order_filled_after_it_was_settled_as_not_placed_is_an_alarm(
    house: House,
    autojump_clock: MockClock,
) -> None:
    """I-4: money has moved, so it counts, and a person must know."""
    await lose_an_order(house)
    await tell(house, "settle", outcome="not-placed", is_blind=True)
    house.alarms()
    house.trading.stream.tell(venue_fill("t1", "1"))
    await house.wait(62)
    assert len(await house.room.recorded(Filled)) == 1
    assert ("contradiction", False) in house.alarms()


async def test_an_adopted_order_is_tracked_and_its_fills_are_booked(
    house: House, autojump_clock: MockClock
) -> None:
    """R-09, R-16."""
    await house.start()
    foreign = attrs.evolve(venue_order(OPEN, order_id="web_1"), limit_price=Decimal(90))
    house.trading.orders["web_1"] = foreign
    found = await house.pass_now()
    assert found.foreign == ("web_1 buy 1 BTC/USDT limit at 90",)
    house.trading.stream.tell(venue_fill("t0", "0.1", "web_1"))
    await settle()
    assert await house.room.recorded(Filled, Attempted) == []
    answer = await tell(house, "adopt", "web_1", bot="dawn")
    assert answer == {"said": "web_1, buy 1 BTC/USDT, is dawn's from now on"}
    await settle()
    house.trading.stream.tell(venue_fill("t1", "1", "web_1"))
    await settle()
    fills = await house.room.recorded(Filled)
    assert [(fill.bot, fill.client_order_id, fill.base) for fill in fills] == [
        ("dawn", "web_1", 1)
    ]
    assert (await house.pass_now()).foreign_orders == 0


async def test_an_order_that_its_sender_gave_no_id_is_shown_by_the_venue_s_and_not_adopted(
    house: House, autojump_clock: MockClock
) -> None:
    """R-09: by hand at Kraken, say. Nothing tells it from the next one without an id."""
    await house.start()
    house.trading.orders[""] = venue_order(OPEN, order_id="", venue_id="OABC-1")
    assert (await house.pass_now()).foreign == ("OABC-1 buy 1 BTC/USDT limit",)
    answer = await tell(house, "adopt", "OABC-1", bot="dawn")
    house.trading.stream.tell(venue_fill("t1", "1", "", venue_order_id="OXYZ-2"))
    await house.pass_now()
    assert await house.room.recorded(Filled, Attempted) == []
    assert "OABC-1 has no client order id" in answer["error"]


async def test_only_what_is_open_at_the_venue_is_adopted(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.trading.orders["web_1"] = venue_order(OPEN, order_id="web_1")
    answer = await tell(house, "adopt", "web_2", bot="dawn")
    assert answer["error"] == "the exchange has no open order 'web_2'; did you mean web_1?"
    assert "said" in await tell(house, "adopt", "web_1", bot="dawn")
    again = await tell(house, "adopt", "web_1", bot="dawn")
    assert again == {"error": "web_1 is one of ours already"}


async def test_a_bot_adopts_no_order_of_another_symbol_than_its_own(
    house: House, autojump_clock: MockClock
) -> None:
    """Its position would have nobody's levels."""
    house.bots["dusk"] = "ETH/USDT"
    await house.start()
    house.trading.orders["web_1"] = venue_order(OPEN, order_id="web_1")
    answer = await tell(house, "adopt", "web_1", bot="dusk")
    assert answer == {"error": "web_1 is of BTC/USDT, and dusk trades ETH/USDT"}


async def test_a_wall_clock_that_was_set_makes_no_order_old_enough_to_be_settled(
    house: House, autojump_clock: MockClock
) -> None:
    """I-10: what its request was signed for may still be to come."""
    await house.start()
    house.trading.errors["past_orders"] = VenueError("HTTP 503")
    await house.attempt()
    await house.room.record(UNKNOWN)
    await house.wait(5)
    house.trading.clock_ms = 60_000
    answer = await tell(house, "settle", outcome="not-placed", is_blind=True)
    assert "may still be on its way to the exchange; ask again in 1" in answer["error"]


async def test_a_freeze_ends_once_an_operator_takes_back_what_is_gone(
    house: House, autojump_clock: MockClock
) -> None:
    """R-14: seen, alarmed, and with a way out."""
    house.trading.held = [BITCOIN]
    await house.room.record(filled(3, 100))
    await house.start()
    await house.wait(1)
    assert house.lease().frozen == frozenset({SYMBOL})
    answer = await tell(house, "correct", SYMBOL)
    assert answer["said"].startswith("2 BTC/USDT left dawn's position at its cost")
    await house.wait(2)
    assert house.lease().frozen == frozenset()
    corrections = await house.room.recorded(Corrected)
    assert [(fact.bot, fact.base, fact.reason) for fact in corrections] == [
        ("dawn", 2, "seen on the web")
    ]


async def test_what_could_not_be_made_durable_was_not_done(
    house: House, autojump_clock: MockClock
) -> None:
    await lose_an_order(house)
    house.room.disk.error = OSError(28, "No space left on device")
    answer = await tell(house, "settle", outcome="not-placed", is_blind=True)
    assert answer == {"error": "No space left on device"}
    house.room.disk.error = None
    assert await house.room.recorded(Commanded, Ended) == []


@pytest.mark.parametrize(
    ("verb", "subject", "more"),
    [
        ("correct", SYMBOL, {"key": "K"}),
        ("settle", ID, {"outcome": "not-placed", "is_blind": True}),
    ],
)
async def test_what_was_told_as_unanswered_is_not_done_by_a_later_life(
    house: House, autojump_clock: MockClock, verb: str, subject: str, more: dict[str, Any]
) -> None:
    """The account is OPEN for a minute; an operator types it twice."""
    house.trading.held = [BITCOIN]
    await house.room.record(filled(3, 100))
    await lose_an_order(house)
    await house.end()
    for _ in range(2):
        answer = await tell(house, verb, subject, **more)
        assert answer == {
            "error": "the account did not answer within 7 s: nothing was done"
        }
    await house.start()
    await house.wait(90)
    assert await house.room.recorded(Commanded, Corrected, Ended) == []


async def test_what_nobody_waits_for_once_the_exchange_has_answered_is_not_done(
    house: House, autojump_clock: MockClock
) -> None:
    await lack_two(house)
    house.trading.slow_s = 2
    asked = Asked("correct", SYMBOL, "gone", "ann")
    answer = await ask(house.mailbox, asked, who="the account", wait_s=1)
    assert answer == {"error": "the account did not answer within 1 s: nothing was done"}
    await house.wait(30)
    assert await house.room.recorded(Commanded, Corrected) == []


async def test_a_correction_that_is_typed_again_while_the_disk_is_slow_is_one(
    house: House, autojump_clock: MockClock
) -> None:
    await lack_two(house)
    house.room.disk.slow_s = 11
    for _ in range(2):
        answer = await tell(house, "correct", SYMBOL)
        assert answer == {
            "error": "no durable acknowledgement within 5 s: it may still be done, and"
            " `shoal log` tells"
        }
    house.room.disk.slow_s = 0
    await house.wait(30)
    assert [fact.base for fact in await house.room.recorded(Corrected)] == [2]


async def test_two_at_once_correct_a_position_once(
    house: House, autojump_clock: MockClock
) -> None:
    await lack_two(house)
    house.trading.slow_s = 1
    receipts = [Receipt[Answer](), Receipt[Answer]()]
    for receipt in receipts:
        await house.mailbox.wish(Question(Asked("correct", SYMBOL, "why", "ann"), receipt))
    await house.wait(20)
    assert len(await house.room.recorded(Corrected)) == 1
    assert "nothing is missing" in (await receipts[1].wait())["error"]


async def test_two_at_once_settle_an_order_once(
    house: House, autojump_clock: MockClock
) -> None:
    await lose_an_order(house)
    receipts = [Receipt[Answer](), Receipt[Answer]()]
    for receipt, outcome in zip(receipts, ("not-placed", "canceled"), strict=True):
        asked = Asked("settle", ID, "why", "ann", outcome=outcome, is_blind=True)
        await house.mailbox.wish(Question(asked, receipt))
    await house.wait(1)
    assert len(await house.room.recorded(Ended)) == 1


async def test_an_account_is_compared_with_its_exchange_at_once(
    house: House, autojump_clock: MockClock
) -> None:
    """And what nobody had told of is booked."""
    await house.start()
    await house.attempt()
    await house.wait(30)
    house.trading.orders[ID] = venue_order(OrderStatus.FILLED, "1")
    house.trading.executed = [venue_fill("t1", "1")]
    house.trading.held = [BITCOIN]
    before = len(await house.passes())
    answer = await tell(house, "reconcile", "main")
    assert answer == {
        "said": "main: reconciled, an operator asked · 0 open orders · 1 fill booked"
        " · 1 order settled"
    }
    assert len(await house.room.recorded(Filled)) == 1
    assert len(await house.passes()) == before + 1
    (command,) = await house.room.recorded(Commanded)
    assert (command.verb, command.by) == ("reconcile", "ann")


async def test_an_exchange_that_does_not_answer_agrees_with_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    """Not even an order to wait after a failure holds up who asks."""
    await house.start()
    house.trading.errors["balances"] = VenueError("HTTP 503")
    for _ in range(2):
        answer = await tell(house, "reconcile", "main")
        assert answer == {"error": "nothing can be compared: HTTP 503"}
    house.trading.errors.clear()
    house.trading.slow_s = 3
    answer = await tell(house, "reconcile", "main")
    assert answer == {
        "error": "the exchange does not answer (not within 5 s): the comparison goes on,"
        " and `shoal log` tells its end"
    }
    house.trading.slow_s = 0
    await house.wait(30)
    answer = await tell(house, "reconcile", "main")
    assert answer["said"].startswith("main: reconciled, an operator asked · 0 open orders")


async def test_an_order_that_the_stream_tells_of_meanwhile_is_not_settled(
    house: House, autojump_clock: MockClock
) -> None:
    """I-6: it lives at the exchange, and would be done with here."""
    await lose_an_order(house)
    house.trading.errors.clear()
    house.trading.slow_s = 1.0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(tell, house, "settle", outcome="canceled"))
        await house.wait(2)
        house.trading.stream.tell(venue_order(OPEN))
    assert await house.room.recorded(Ended, Commanded) == []


async def test_a_symbol_that_is_not_listed_any_more_keeps_no_other_from_being_corrected(
    house: House, autojump_clock: MockClock
) -> None:
    """R-14: its symbol is frozen until somebody says whose the missing coins were."""
    house.bots["noon"] = "NO/USDT"
    house.trading.unlisted = frozenset({"NO/USDT"})
    await lack_two(house)
    assert "said" in await tell(house, "correct", SYMBOL)


async def test_a_position_of_a_bot_that_left_the_file_is_corrected_though_its_stop_rests(
    house: House, autojump_clock: MockClock
) -> None:
    """R-14: the exchange shows the stop as the ledger has it, so it explains nothing."""
    house.bots = {"dusk": "ETH/USDT"}
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await lack_two(house)
    await house.wait(60)
    assert "said" in await tell(house, "correct", SYMBOL)
