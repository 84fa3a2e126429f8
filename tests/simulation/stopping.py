"""See that a process that was told to stop does, and leaves nothing behind (I-25)."""

from __future__ import annotations

from typing import Final

import trio

from tests.simulation.inspection import left_tasks
from tests.simulation.process import Process

STOP_S: Final = 30.0  # of a stop, whatever goes wrong
GONE_S: Final = 0.001  # for the task that ran the process; less than any next one waits


async def watch_stop(process: Process) -> None:
    """Judge a stop that was asked for now; a death in the middle of it is none."""
    complain = process.machine.complain
    with trio.move_on_after(STOP_S):
        await process.ended.wait()
    if not process.ended.is_set():
        complain(f"I-25: a stop takes longer than {STOP_S:g} s")
    await process.ended.wait()
    if process.was_killed:
        return
    left = process.machine.network.open_clients(process.owner)
    if left:
        complain(f"I-25: {left} connections are left open by a stop")
    await trio.sleep(GONE_S)
    for each in left_tasks(process.number):
        complain(each)
