"""What nobody has decoded yet stays small, and loses nothing but older prices."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from adapters.sockets import Message, NewestOf
from adapters.undecoded import MANY, SIZE_MAX, Undecoded, newest_only


def newest_of(message: Message) -> str:
    """Return the letter that a price begins with; trades begin with "-"."""
    return "" if message[:1] == "-" else str(message[:1])


def test_a_few_are_all_told() -> None:
    few = ["a1", "a2"] * (MANY // 2)
    assert newest_only(few, newest_of) == few


def test_of_many_the_newest_price_stays_and_everything_else() -> None:
    many = ["a1", "-t1", "b1", "a2", *[f"-{number}" for number in range(MANY)], "b2"]
    assert newest_only(many, newest_of) == [
        "-t1",
        "a2",
        *[f"-{number}" for number in range(MANY)],
        "b2",
    ]


async def test_replaced_prices_are_counted() -> None:
    undecoded = Undecoded(newest_of)
    undecoded.put([f"a{number}" for number in range(MANY)], MANY * 3)
    undecoded.put(["b1"], 2)
    assert await undecoded.take() == [f"a{MANY - 1}", "b1"]
    assert undecoded.replaced == MANY - 1


async def test_without_a_name_for_prices_nothing_is_replaced() -> None:
    undecoded = Undecoded(None)
    undecoded.put(["a"] * (MANY + 1), MANY + 1)
    assert await undecoded.take() == ["a"] * (MANY + 1)
    assert undecoded.replaced == 0


async def test_too_many_prices_make_room_by_themselves() -> None:
    undecoded = Undecoded(newest_of)
    price = "a" * 1000
    undecoded.put([price] * 2000, 2000 * len(price))
    assert not undecoded.is_full()


async def test_too_many_trades_wait_for_whoever_takes_them(
    autojump_clock: trio.testing.MockClock,
) -> None:
    undecoded, trade = Undecoded(newest_of), "-" * 1000
    count = SIZE_MAX // len(trade) + 1
    undecoded.put([trade] * count, count * len(trade))
    assert undecoded.is_full()
    with trio.move_on_after(1) as waiting:
        await undecoded.taken()
    assert waiting.cancelled_caught
    assert await undecoded.take() == [trade] * count
    assert not undecoded.is_full()


async def test_what_is_there_is_taken_before_the_end_is_told() -> None:
    undecoded = Undecoded(newest_of)
    undecoded.put(["a"], 1)
    undecoded.end()
    assert await undecoded.take() == ["a"]
    assert await undecoded.take() == []


async def test_who_waits_is_told_of_the_end(nursery: trio.Nursery) -> None:
    undecoded = Undecoded(newest_of)

    async def end() -> None:
        await trio.testing.wait_all_tasks_blocked()
        undecoded.end()

    nursery.start_soon(end)
    with trio.fail_after(1):
        assert await undecoded.take() == []


@pytest.mark.parametrize(("namer", "is_told"), [(newest_of, False), (None, True)])
async def test_who_takes_prices_waits_for_newer_ones_that_are_near(
    autojump_clock: trio.testing.MockClock, namer: NewestOf | None, is_told: bool
) -> None:
    undecoded, taken = Undecoded(namer), list[Message]()

    async def take() -> None:
        taken.extend(await undecoded.take())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        undecoded.put(["a1"], 2, is_more_near=True)
        await trio.testing.wait_all_tasks_blocked()
        assert bool(taken) is is_told
        undecoded.wake()
    assert taken == ["a1"]
