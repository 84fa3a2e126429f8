"""A small tree in a process of its own, for the tests of signals.

Run as `python -m tests.system.fleet_on_signals GOODBYE_S LIMIT_S [stuck]`.
"""

from __future__ import annotations

import sys
import time
from functools import partial

import trio

from actors.exit_codes import FORCED, OK
from actors.fleet_signals import watch_signals
from actors.messages.supervision import Transition
from actors.supervisor import Child, Supervisor


class Middle:
    def random(self) -> float:
        return 0.5


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(transition: Transition) -> None:
    say(f"{transition.path} {transition.event.value}")


async def live(goodbye_s: float, *, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    try:
        await trio.sleep_forever()
    finally:
        with trio.move_on_after(goodbye_s, shield=True):
            await trio.sleep_forever()


async def block(*, task_status: trio.TaskStatus[None]) -> None:
    """Stop the event loop, as a strategy in an endless loop does."""
    task_status.started()
    await trio.sleep(0.1)
    say("stuck")
    time.sleep(60)  # noqa: ASYNC251 -- the loop shall be stuck


async def main(goodbye_s: float, limit_s: float, *, is_stuck: bool) -> int:
    run = partial(live, goodbye_s)
    children = [Child(name, run, stop_s=60) for name in ("journal", "feed", "bot")]
    if is_stuck:
        children.append(Child("loop", block))
    tree = Supervisor("", children, report=report, random=Middle())
    heard: list[int] = []
    scope = trio.CancelScope()
    watch = partial(watch_signals, scope, tree.hurry, note=heard.append, limit_s=limit_s)
    async with trio.open_nursery() as nursery:
        await nursery.start(watch)
        with scope:
            await tree.run()
        nursery.cancel_scope.cancel()
    return FORCED if len(heard) > 1 else OK


if __name__ == "__main__":
    goodbye_s, limit_s, *stuck = sys.argv[1:]
    sys.exit(
        trio.run(partial(main, float(goodbye_s), float(limit_s), is_stuck=bool(stuck)))
    )
