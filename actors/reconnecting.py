"""The one way a lost connection comes back: serve, lose, wait as the policy says, again.

Used inside the lives of feed, account and orders: a disconnect is not a crash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, cast

import trio

from actors.errors import leaves
from actors.ports import Random, RateLimited, VenueError
from actors.pure.reconnect import Reconnect, ReconnectPolicy

Lost = Callable[[VenueError, int, float | None], Awaitable[None]]  # why, attempt, delay_s


class Serve(Protocol):
    """Connect, call `connected`, serve until the end, and return or raise why it ended."""

    async def __call__(self, connected: Callable[[], None], /) -> VenueError: ...


class AttemptsSpent(Exception):
    """All attempts of one disconnect are spent; the circuit breaker takes over."""


async def keep_connected(
    serve: Serve,
    *,
    policy: ReconnectPolicy,
    random: Random,
    on_lost: Lost,
    is_endless: Callable[[], bool] = lambda: False,
) -> None:
    """Serve one connection after the other until the policy's attempts are spent.

    While `is_endless` it goes on at the longest delay, for a road that has a second one.

    Raises:
      AttemptsSpent: the last of the policy's attempts failed.
    """
    reconnect = Reconnect(policy)

    def connected() -> None:
        nonlocal reconnect
        reconnect = reconnect.connected(trio.current_time())

    while True:
        error = await _served(serve, connected)
        now_s = trio.current_time()
        retry_after_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
        reconnect, delay_s = reconnect.lost(
            now_s, random.random(), at_least_s=retry_after_s
        )
        if delay_s is None and is_endless():
            delay_s = max(policy.max_s, retry_after_s)
        await on_lost(error, reconnect.attempt, delay_s)
        if delay_s is None:
            raise AttemptsSpent(f"{policy.attempts} attempts spent: {error}")
        await trio.sleep_until(now_s + delay_s)


async def _served(serve: Serve, connected: Callable[[], None]) -> VenueError:
    """Serve one connection and return why it ended, also out of a nursery's group."""
    try:
        error = await serve(connected)
    except* VenueError as group:
        error = cast("VenueError", leaves(group)[0])
    await trio.lowlevel.checkpoint()
    return error
