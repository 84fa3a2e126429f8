"""The board follows several journals, each by its own numbers; none waits for another."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.board_ledgers import AGAIN_S, OWNERS_S, Ledgers
from actors.mailbox import Mailbox
from actors.messages import BotPaused, Fact, Told
from actors.records import FactGap, JournalWish, Recall, Recalled
from tests.actors.ledger_room import open_room, settle

ANN, BOB = "journal:ann", "journal:bob"


def fact(number: int) -> BotPaused:
    return BotPaused(f"bot-{number}", "main", "")


def told(seq: int, previous: int, teller: str) -> Told:
    return Told(seq, previous, fact(seq), 0, teller)


@attrs.define(eq=False)
class House:
    owners: dict[str, Mailbox[JournalWish]]
    ledgers: Ledgers = attrs.field(init=False)
    folded: dict[str, int] = attrs.Factory(dict[str, int])
    heard: list[tuple[str, int]] = attrs.Factory(list[tuple[str, int]])

    def fold(self, name: str, recalled: Recalled) -> None:
        self.folded[name] = recalled.seq

    def hear(self, name: str, _fact: Fact, told: Told) -> None:
        self.heard.append((name, told.seq))

    async def asked(self, name: str) -> Recall:
        """Return what a journal is asked, as soon as it is."""
        wish = await self.owners[name].receive()
        assert isinstance(wish, Recall)
        return wish


@asynccontextmanager
async def open_house(folder: Path) -> AsyncGenerator[tuple[House, trio.Nursery]]:
    async with open_room(folder, "board") as room:
        owners = {name: Mailbox[JournalWish](name) for name in (ANN, BOB)}
        house = House(owners)
        house.ledgers = Ledgers("board", room.journal, owners, house.fold, house.hear)
        await house.ledgers.begin()
        async with trio.open_nursery() as nursery:
            yield house, nursery
            nursery.cancel_scope.cancel()


async def test_an_owner_who_is_silent_holds_up_nobody(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as (house, nursery):
        began_s = trio.current_time()
        nursery.start_soon(house.ledgers.follow, nursery)
        (await house.asked(BOB)).receipt.resolve(Recalled(7, (), is_last=True))
        await trio.sleep(OWNERS_S + 0.1)
        assert house.folded == {"journal": 0, BOB: 7}
        assert trio.current_time() - began_s == pytest.approx(OWNERS_S + 0.1)
        house.ledgers.take(told(8, 7, BOB))
        assert house.heard == [(BOB, 8)]
        assert house.ledgers.recorded == 8


async def test_what_is_told_before_the_recall_is_held_and_not_heard_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as (house, nursery):
        nursery.start_soon(house.ledgers.follow, nursery)
        asked = await house.asked(ANN)
        house.ledgers.take(told(4, 0, ANN))
        house.ledgers.take(told(5, 4, ANN))
        asked.receipt.resolve(Recalled(4, (), is_last=True))
        await settle()
        assert (house.folded[ANN], house.heard) == (4, [(ANN, 5)])


async def test_the_numbers_of_one_journal_are_no_gap_of_another(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as (house, nursery):
        nursery.start_soon(house.ledgers.follow, nursery)
        for name in (ANN, BOB):
            (await house.asked(name)).receipt.resolve(Recalled(3, (), is_last=True))
        await settle()
        house.ledgers.take(told(90, 3, ANN))
        house.ledgers.take(told(4, 2, BOB))
        assert house.heard == [(ANN, 90), (BOB, 4)]
        with pytest.raises(FactGap):
            house.ledgers.take(told(9, 5, BOB))


async def test_a_journal_that_dies_with_the_question_is_asked_again_and_one_at_a_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as (house, nursery):
        nursery.start_soon(house.ledgers.follow, nursery)
        (await house.asked(ANN)).receipt.fail("the journal ended")
        await trio.sleep(AGAIN_S + 1)
        assert house.owners[ANN].depth == 1
        await trio.sleep(10 * AGAIN_S)
        assert house.owners[ANN].depth == 1
        (await house.asked(ANN)).receipt.resolve(Recalled(2, (), is_last=True))
        await settle()
        assert house.folded[ANN] == 2


async def test_a_journal_that_dies_between_two_pages_goes_on_where_it_was(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as (house, nursery):
        nursery.start_soon(house.ledgers.follow, nursery)
        (await house.asked(ANN)).receipt.resolve(Recalled(3, (), is_last=False))
        (await house.asked(ANN)).receipt.fail("the journal ended")
        house.ledgers.take(told(6, 5, ANN))
        await trio.sleep(AGAIN_S + 1)
        again = await house.asked(ANN)
        assert again.after == 3
        again.receipt.resolve(Recalled(5, (), is_last=True))
        await settle()
        assert (house.folded[ANN], house.heard) == (5, [(ANN, 6)])


async def test_with_one_owner_nobody_else_is_asked(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_room(tmp_path, "board") as room:
        await room.record(fact(1))
        house = House({})
        house.ledgers = Ledgers("board", room.journal, {}, house.fold, house.hear)
        began_s = trio.current_time()
        await house.ledgers.begin()
        async with trio.open_nursery() as nursery:
            await house.ledgers.follow(nursery)
        assert (house.folded, house.ledgers.recorded) == ({"journal": 1}, 1)
        assert trio.current_time() == began_s
