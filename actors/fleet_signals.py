"""SIGINT and SIGTERM: ask for an orderly stop, then for a quick one, then for an end.

first   -> the stop scope is cancelled: the tree stops from bottom to top
second  -> `hurry`: nobody waits for a neighbour's goodbye any more
third   -> the process ends at once, with exit code 75; so it does `limit_s` after the
           first, whatever hangs, or after the fleet has begun to end by itself

KeyboardInterrupt is never raised, so no await point has to survive one. The handlers run
in the main thread between two bytecodes, not in a Trio task: they count signals that come
too fast for Trio's own receiver, and they end a process whose event loop is stuck.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import trio

from actors.exit_codes import FORCED

STOP_LIMIT_S = 30.0  # an orderly stop takes 5 s at most when all goes well


async def watch_signals(
    stop: trio.CancelScope,
    hurry: Callable[[], None],
    *,
    note: Callable[[int], None],  # called with 1, then 2, to log it and to remember it
    ending: trio.Event | None = None,  # set when it begins to end without a signal
    limit_s: float = STOP_LIMIT_S,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Act on signals until cancelled; runs beside the scope that it cancels."""
    count = 0
    token = trio.lowlevel.current_trio_token()

    def act(number: int) -> None:
        note(number)
        if number == 1:
            stop.cancel()
        else:
            hurry()

    def heard(_signal: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 2:
            os._exit(FORCED)
        if count == 1:
            signal.setitimer(signal.ITIMER_REAL, limit_s)
        token.run_sync_soon(act, count)

    with (
        _handling(signal.SIGINT, heard),
        _handling(signal.SIGTERM, heard),
        _handling(signal.SIGALRM, lambda *_: os._exit(FORCED)),
    ):
        try:
            task_status.started()
            await _limit_end(ending, limit_s)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


async def _limit_end(ending: trio.Event | None, limit_s: float) -> None:
    """Let the limit run from the event on, unless it runs already; wait for ever."""
    if ending is not None:
        await ending.wait()
        if not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.setitimer(signal.ITIMER_REAL, limit_s)
    await trio.sleep_forever()


async def stop_after(
    stop: trio.CancelScope, for_s: float, note: Callable[[], None]
) -> None:
    """Stop in order after so long; where it stops already, that is no second signal."""
    await trio.sleep(for_s)
    if not stop.cancel_called:
        note()
        stop.cancel()


@contextmanager
def _handling(
    number: signal.Signals, handler: Callable[..., Any]
) -> Generator[None, None, None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
