"""Who is told what, and how fast among ten thousand readers."""

from __future__ import annotations

import time

import pytest

from actors.mailbox import Mailbox
from actors.messages import BotPaused, ExchangeDisconnected, Fact, Told
from actors.outlets import Outlets, Reader
from actors.records import FactGap, Replay

PAUSED = BotPaused("dawn", "main", "")


def seqs(mailbox: Mailbox[Told]) -> list[int]:
    told: list[int] = []
    while (message := mailbox.receive_nowait()) is not None:
        told.append(message.seq)
    return told


@pytest.mark.parametrize(
    ("bot", "account", "is_told"),
    [
        (None, None, True),
        ("dawn", None, True),
        (None, "main", True),
        ("dawn", "main", True),
        ("dusk", None, False),
        (None, "other", False),
        ("dawn", "other", False),
    ],
)
async def test_a_reader_is_told_what_is_its_own(
    bot: str | None, account: str | None, is_told: bool
) -> None:
    mailbox: Mailbox[Told] = Mailbox("reader")
    kinds: frozenset[type[Fact]] = frozenset({BotPaused})
    outlets = Outlets([Reader("reader", mailbox, kinds, bot, account)])
    outlets.tell(1, PAUSED, 0)
    outlets.tell(2, ExchangeDisconnected("x", "eof"), 0)

    assert (seqs(mailbox), outlets.told_seq) == ([1] if is_told else [], 2)


async def test_a_fact_told_already_is_not_told_again() -> None:
    mailbox: Mailbox[Told] = Mailbox("reader")
    outlets = Outlets([Reader("reader", mailbox, frozenset({BotPaused}))])
    for seq in (1, 2, 1, 2, 3):
        outlets.tell(seq, PAUSED, 0)

    assert seqs(mailbox) == [1, 2, 3]


async def test_a_removed_reader_is_told_nothing() -> None:
    mailbox: Mailbox[Told] = Mailbox("reader")
    outlets = Outlets([Reader("reader", mailbox, frozenset({BotPaused}), bot="dawn")])
    outlets.remove("reader")
    outlets.tell(1, PAUSED, 0)

    assert (seqs(mailbox), outlets.reader("reader")) == ([], None)


async def test_two_readers_of_one_name_are_refused() -> None:
    reader = Reader("reader", Mailbox[Told]("reader"), frozenset({BotPaused}))

    with pytest.raises(ValueError, match="two readers are called reader"):
        Outlets([reader, reader])


class Deaf:
    """A mailbox that only counts."""

    def __init__(self) -> None:
        self.told = 0

    def fact(self, message: Told, /) -> None:
        self.told += 1


def test_telling_one_bot_costs_the_same_among_ten_thousand() -> None:
    def cost_s(bots: int) -> float:
        doors = [Deaf() for _ in range(bots)]
        kinds: frozenset[type[Fact]] = frozenset({BotPaused})
        outlets = Outlets(
            Reader(f"bot:{number}", door, kinds, bot=str(number))
            for number, door in enumerate(doors)
        )
        before_s = time.perf_counter()
        for seq in range(1, 2001):
            outlets.tell(seq, BotPaused("7", "main", ""), 0)
        took_s = time.perf_counter() - before_s
        assert [door.told for door in doors if door.told] == [2000]
        return took_s

    assert cost_s(10_000) < 20 * cost_s(10)  # a scan would cost a thousand times as much


def test_a_reader_skips_what_it_has_recalled() -> None:
    assert Replay(5).fresh(Told(5, 3, PAUSED)) is None


def test_a_reader_takes_what_follows_its_recall() -> None:
    replay = Replay(5)

    assert [replay.fresh(Told(7, 3, PAUSED)), replay.fresh(Told(9, 7, PAUSED))] == [
        PAUSED,
        PAUSED,
    ]


def test_a_fact_that_was_never_told_ends_the_readers_life() -> None:
    replay = Replay(5)
    replay.fresh(Told(7, 3, PAUSED))

    with pytest.raises(FactGap, match="told 9 after 8, knew 7"):
        replay.fresh(Told(9, 8, PAUSED))
