"""Actors for the supervisor's tests: calm ones, fragile ones, stubborn ones."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
import trio

from actors.messages.supervision import Event, State, Transition
from actors.supervisor import Child, Supervisor

Run = Callable[..., Awaitable[None]]


class Middle:
    """The middle of every jitter: back-offs are 3/4 of their length, resets 1.05."""

    def random(self) -> float:
        return 0.5


@attrs.define
class Log:
    """Everything the supervisor reported, and everything the actors did, in order."""

    told: list[Transition] = attrs.Factory(list[Transition])
    births_s: dict[str, list[float]] = attrs.Factory(dict[str, list[float]])
    steps: list[str] = attrs.Factory(list[str])  # "+name" and "-name"

    def report(self, transition: Transition) -> None:
        self.told.append(transition)

    def events(self, name: str) -> list[tuple[Event, State]]:
        """Return what happened to one actor and where it stood afterwards."""
        return [(each.event, each.new) for each in self.told if _is(each, name)]

    def last(self, name: str) -> Transition:
        return [each for each in self.told if _is(each, name)][-1]

    def only(self, event: Event) -> list[Transition]:
        return [each for each in self.told if each.event is event]

    def born(self, name: str) -> None:
        self.births_s.setdefault(name, []).append(trio.current_time())
        self.steps.append(f"+{name}")


def _is(transition: Transition, name: str) -> bool:
    return transition.path.rsplit("/", 1)[-1] == name


def actor(
    log: Log,
    name: str,
    *,
    ready_after_s: float = 0.0,
    lives_s: Sequence[float] = (),
    goodbye_s: float = 0.0,
    error: type[BaseException] = RuntimeError,
) -> Run:
    """Return a body that lives for each of `lives_s` in turn, and then for ever.

    It raises `error` at the end of a short life, and takes `goodbye_s` to end when told.
    """

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        log.born(name)
        life = len(log.births_s[name]) - 1
        try:
            await trio.sleep(ready_after_s)
            task_status.started()
            await trio.sleep(lives_s[life] if life < len(lives_s) else math.inf)
            raise error(f"{name} breaks")
        finally:
            with trio.move_on_after(goodbye_s, shield=True):
                await trio.sleep_forever()
            log.steps.append(f"-{name}")

    return run


async def breaks_at_once(**_: object) -> None:
    """Crash before being ready, always."""
    await trio.lowlevel.checkpoint()
    raise RuntimeError("no start")


async def never_ready(**_: object) -> None:
    await trio.sleep_forever()


def supervisor(log: Log, path: str, *children: Child, **options: Any) -> Supervisor:
    return Supervisor(path, children, report=log.report, random=Middle(), **options)
