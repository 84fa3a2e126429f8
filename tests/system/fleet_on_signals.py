"""A small tree in a process of its own, for the tests of signals.

Run as `python -m tests.system.fleet_on_signals GOODBYE_S LIMIT_S [stuck|given_up]`.
"""

from __future__ import annotations

import sys
import time
from functools import partial

import trio

from actors.errors import BrokenInvariant
from actors.exit_codes import FORCED, OK
from actors.fleet_signals import watch_signals
from actors.messages.supervision import Event, Transition
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


async def give_up(*, task_status: trio.TaskStatus[None]) -> None:
    """Break what no restart mends, once everybody is up."""
    task_status.started()
    await trio.sleep(0.1)
    raise BrokenInvariant("of a test")


async def main(goodbye_s: float, limit_s: float, more: str) -> int:
    run = partial(live, goodbye_s)
    children = [Child(name, run, stop_s=60) for name in ("journal", "feed", "bot")]
    children += [Child("loop", block)] if more == "stuck" else []
    children += [Child("end", give_up)] if more == "given_up" else []
    ending = trio.Event()

    def hear(transition: Transition) -> None:
        report(transition)
        if transition.event is Event.ESCALATED:
            ending.set()

    tree = Supervisor("", children, report=hear, random=Middle())
    heard: list[int] = []
    scope = trio.CancelScope()
    watch = partial(watch_signals, note=heard.append, ending=ending, limit_s=limit_s)
    async with trio.open_nursery() as nursery:
        await nursery.start(watch, scope, tree.hurry)
        with scope:
            await tree.run()
        nursery.cancel_scope.cancel()
    return FORCED if len(heard) > 1 else OK


if __name__ == "__main__":
    goodbye_s, limit_s, *more = sys.argv[1:]
    sys.exit(trio.run(main, float(goodbye_s), float(limit_s), "".join(more)))
