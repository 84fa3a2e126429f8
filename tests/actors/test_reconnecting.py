"""A lost connection comes back as the policy says, however its end is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock

from actors.ports import ConnectionLost, RateLimited, VenueError
from actors.pure.reconnect import ReconnectPolicy
from actors.reconnecting import AttemptsSpent, Serve, keep_connected
from tests.actors.scripted_venue import Middle

Told = tuple[str, int, float | None]
LOST = ConnectionLost("lost")


async def ends(
    serve: Serve, *, is_endless: bool = False, until_s: float = 1000.0
) -> list[Told]:
    """Return what was told of each loss."""
    told: list[Told] = []

    async def tell(error: VenueError, attempt: int, delay_s: float | None) -> None:
        told.append((str(error), attempt, delay_s))

    with trio.move_on_after(until_s), suppress(AttemptsSpent):
        await keep_connected(
            serve,
            policy=ReconnectPolicy(),
            random=Middle(),
            on_lost=tell,
            is_endless=lambda: is_endless,
        )
    return told


async def fails(_connected: Callable[[], None]) -> VenueError:
    raise LOST


async def test_attempts_are_told_with_their_waits(autojump_clock: MockClock) -> None:
    told = await ends(fails)
    assert told == [
        ("lost", 1, 1.0),
        ("lost", 2, 2.0),
        ("lost", 3, 4.0),
        ("lost", 4, 8.0),
        ("lost", 5, 16.0),
        ("lost", 6, None),
    ]


async def test_an_end_inside_a_nursery_is_the_same_end(autojump_clock: MockClock) -> None:
    """An adapter may wrap its errors in groups, as Trio's nurseries do."""

    async def serve(_connected: Callable[[], None]) -> VenueError:
        raise ExceptionGroup("nursery", [ExceptionGroup("another", [LOST])])

    assert len(await ends(serve)) == 6


async def test_a_defect_is_no_disconnect(autojump_clock: MockClock) -> None:
    async def serve(_connected: Callable[[], None]) -> VenueError:
        raise ExceptionGroup("nursery", [LOST, KeyError("a defect of ours")])

    with pytest.RaisesGroup(KeyError, flatten_subgroups=True):
        await ends(serve)


async def test_a_returned_end_is_an_end(autojump_clock: MockClock) -> None:
    async def serve(connected: Callable[[], None]) -> VenueError:
        connected()
        await trio.sleep(61)
        return ConnectionLost("a day is over")

    told = await ends(serve, until_s=200)
    assert told == [("a day is over", 1, 1.0)] * 3


async def test_a_second_road_goes_on_for_ever_at_the_longest_wait(
    autojump_clock: MockClock,
) -> None:
    told = await ends(fails, is_endless=True, until_s=200)
    assert [delay_s for _, _, delay_s in told[5:]] == [30.0] * len(told[5:])
    assert len(told) > 8


async def test_the_venues_own_wait_is_kept_on_every_road(autojump_clock: MockClock) -> None:
    async def serve(_connected: Callable[[], None]) -> VenueError:
        raise RateLimited("418", retry_after_s=120.0)

    told = await ends(serve, is_endless=True, until_s=1000)
    assert {delay_s for _, _, delay_s in told} == {120.0}
