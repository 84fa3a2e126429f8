"""Watch what the supervisor says of each actor: restarts obey the policy (I-24)."""

from __future__ import annotations

from collections import Counter

import attrs

from actors.fleet_accounts import EXITS_RESET_S
from actors.messages.supervision import Event, State, Transition
from actors.pure.config import Config

BACKOFF_S_MAX = 5.0


@attrs.define
class Supervision:
    """The transitions of one process, judged one by one."""

    threshold: int
    resets_s: dict[str, float]  # by the last part of a path's role
    reset_s: float
    said: list[str] = attrs.Factory(list[str])
    failures: Counter[str] = attrs.Factory(Counter[str])
    _alive: dict[str, int] = attrs.Factory(dict[str, int])
    _lives: dict[str, int] = attrs.Factory(dict[str, int])
    _not_before_s: dict[str, float] = attrs.Factory(dict[str, float])
    _stopped: set[str] = attrs.Factory(set[str])  # told to stop, and not begun since

    @classmethod
    def of(cls, config: Config) -> Supervision:
        """Return a judge of a process that runs `config`."""
        numbers = config.supervision
        exits = ["journal", "orders", "positions"]
        quick: dict[str, float] = dict.fromkeys(exits, EXITS_RESET_S)
        return cls(numbers.threshold, quick, numbers.reset_s)

    def hear(self, step: Transition) -> None:
        """Take one transition."""
        path = step.path
        if step.event in {Event.STOPPING, Event.STOPPED}:
            self._stopped.add(path)
        if step.event is Event.STARTING:
            self._starting(step)
        elif step.event is Event.FAILED:
            self.failures[path.rsplit("/", 1)[-1].partition(":")[0]] += 1
            self._alive.pop(path, None)
            self._failed(step)
        elif step.event in {Event.STOPPED, Event.FINISHED, Event.ESCALATED}:
            self._alive.pop(path, None)

    def _starting(self, step: Transition) -> None:
        path = step.path
        if path in self._alive:
            self.said.append(f"I-24: {path} began life {step.incarnation} beside another")
        if step.incarnation != self._lives.get(path, 0) + 1:
            self.said.append(f"I-24: {path} began life {step.incarnation} out of turn")
        self._stopped.discard(path)
        waits = step.old is not State.STOPPED  # an operator's start cuts a wait short
        waits = waits and not self._says_goodbye(path)
        if waits and step.at_s < self._not_before_s.get(path, 0.0) - 1e-6:
            self.said.append(f"I-24: {path} began before its wait was over")
        self._alive[path] = self._lives[path] = step.incarnation

    def _says_goodbye(self, path: str) -> bool:
        """Tell whether the tree stops, in which `orders` begins once more for its goodbye.

        Who is below it has been told to stop by then.
        """
        above, _, name = path.rpartition("/")
        role, _, account = name.partition(":")
        below = f"{above}/positions:{account}".lstrip("/")
        is_over = below in self._stopped or below not in self._lives  # or never begun
        return role == "orders" and is_over

    def _failed(self, step: Transition) -> None:
        if step.delay_s is None:
            return
        self._not_before_s[step.path] = step.at_s + step.delay_s
        is_open = step.consecutive >= self.threshold
        role = step.path.rsplit("/", 1)[-1].partition(":")[0]
        reset_s = self.resets_s.get(role, self.reset_s)
        least_s, most_s = (reset_s, 1.1 * reset_s) if is_open else (0.1, BACKOFF_S_MAX)
        if not least_s <= step.delay_s <= most_s:
            self.said.append(
                f"I-24: {step.path} waits {step.delay_s:.2f} s after"
                f" {step.consecutive} failures in a row"
            )
