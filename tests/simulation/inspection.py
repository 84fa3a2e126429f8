"""Look into a fleet from outside: mailboxes, lives, secrets, what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import trio

from actors.mailbox import Mailbox
from actors.messages.supervision import State
from tests.simulation.assassin import LIFE
from tests.simulation.disk import DiskRow
from tests.simulation.process import KEY, PASSPHRASE, SECRET, Process

SECRETS = KEY, SECRET, PASSPHRASE
LOOK_S: Final = 1.0


def overfull(mailboxes: Iterable[Mailbox[Any]]) -> Iterator[str]:
    """Return which mailboxes hold more than their doors let through (I-24)."""
    for box in mailboxes:
        hidden: Any = box
        keys = len(hidden._boxes)
        wishes, facts = hidden._wishes, hidden._facts
        if wishes > hidden._wishes_max or facts > box.facts_max:
            yield f"I-24: {box.name} holds {wishes} wishes and {facts} facts"
        inside = hidden._out.statistics().current_buffer_used
        if inside > wishes + facts + keys:
            yield f"I-24: {box.name} holds {inside} messages, {box.depth} are counted"


def is_whole(process: Process) -> bool:
    """Tell whether every actor that is wanted runs."""
    if process.fleet is None or process.owner.is_dead:
        return False
    return all(
        seat.breaker.state is State.RUNNING
        for _, seat in process.fleet.root.seats()
        if seat.is_wanted
    )


def twins(process: Process) -> Iterator[str]:
    """Return which actors are alive more than once: by their tasks, not by their word."""
    if process.fleet is None or process.owner.is_dead:
        return
    for _, seat in process.fleet.root.seats():
        task = seat.task
        if task is None or task.parent_nursery is None:
            continue
        lives = [each for each in task.parent_nursery.child_tasks if each.name == seat.path]
        if len(lives) > 1:
            yield f"I-24: {seat.path} is alive {len(lives)} times"


def left_tasks(number: int = 0) -> Iterator[str]:
    """Return the tasks that still belong to some process, or to one of them (I-25)."""
    root = trio.lowlevel.current_root_task()
    waiting = [root] if root is not None else []
    while waiting:
        task = waiting.pop()
        life = task.context.get(LIFE, 0)
        if life and number in {0, life}:
            yield f"I-25: task {task.name} is left of process {life}"
        for nursery in task.child_nurseries:
            waiting.extend(nursery.child_tasks)


async def wait_left(within_s: float) -> list[str]:
    """Return the tasks that are left of all processes after so long at most."""
    left = list(left_tasks())
    for _ in range(round(within_s) if left else 0):
        await trio.sleep(1.0)
        if not (left := list(left_tasks())):
            break
    await trio.lowlevel.checkpoint()
    return left


def told_secrets(texts: Iterable[str]) -> Iterator[str]:
    """Return the texts that show a secret (I-23)."""
    for text in texts:
        if any(secret in text for secret in SECRETS):
            hidden = text
            for secret in SECRETS:
                hidden = hidden.replace(secret, "***")
            yield f"I-23: a secret is told: {hidden[:200]}"


def secrets_in_rows(rows: Sequence[DiskRow]) -> Iterator[str]:
    """Return the rows of a ledger that show a secret (I-23)."""
    canaries = [secret.encode() for secret in SECRETS]
    for number, each in enumerate(rows, 1):
        if any(canary in each.row.body for canary in canaries):
            yield f"I-23: row {number}, {each.row.kind}, tells a secret"


async def keep_inspecting(look: Callable[[], None]) -> None:
    """Look again and again."""
    while True:
        look()
        await trio.sleep(LOOK_S)
