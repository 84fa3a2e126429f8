"""What the simulation does to Trio and the libraries works, and is undone afterwards."""

from __future__ import annotations

import inspect
import random

import trio
import trio._core._run as trio_run
import websockets.frames
import websockets.utils
import wsproto.frame_protocol
from httpcore2._async import http11

from tests.simulation.seeding import LOOP, SCHEDULER, SORTED_BATCHES, run_seeded, seeded


def test_trio_still_has_the_names_that_make_it_repeatable() -> None:
    assert isinstance(getattr(trio_run, SORTED_BATCHES), bool)
    assert isinstance(getattr(trio_run, SCHEDULER), random.Random)
    assert inspect.isgeneratorfunction(getattr(trio_run, LOOP))


def test_the_scheduler_draws_from_the_seed() -> None:
    async def order() -> list[int]:
        seen: list[int] = []

        async def step(number: int) -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
                seen.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(step, number)
        return seen

    assert run_seeded(order, 1) == run_seeded(order, 1)
    assert run_seeded(order, 1) != run_seeded(order, 2)


def shared() -> list[object]:
    places: list[tuple[object, str]] = [
        (wsproto.frame_protocol, "os"),
        (websockets.frames, "secrets"),
        (websockets.utils, "secrets"),
        (http11, "time"),
        (trio_run, SCHEDULER),
        (trio_run, LOOP),
        (trio_run, SORTED_BATCHES),
    ]
    return [random.getstate(), *(getattr(place, name) for place, name in places)]


def test_everything_shared_is_given_back() -> None:
    before = shared()
    with seeded(1):
        inside = shared()
    assert all(
        mine is not theirs for mine, theirs in zip(before[1:7], inside[1:7], strict=True)
    )
    assert shared() == before
