"""Decide whether a crashed actor may start again, and after how long.

                  failures < threshold: wait a moment
                     +------------ BACKOFF <---+
                     v                         |
    STOPPED --> STARTING --> RUNNING --------->+ failed
                     ^          ^              |
                     |          | ready        | failures >= threshold
                     |      HALF_OPEN <------ OPEN
                     |          ^  reset_s     |
    operator --------+          |              | failures >= max_consecutive
                                +----------- FAILED
                              only "retry"

Times are seconds on any one monotonic clock; randomness is an argument.
"""

from __future__ import annotations

from typing import Literal

import attrs
from attrs.validators import ge, gt

from actors.messages.supervision import State

__all__ = ["Breaker", "Exhausted", "Exhaustion", "Policy", "State", "Wait"]

Exhaustion = Literal["stop", "retry", "escalate"]


@attrs.frozen
class Policy:
    """How much crashing is forgiven. One policy for every actor; the numbers differ."""

    circuit_breaker: bool = True  # False: back-off only, still ending at max_consecutive
    threshold: int = attrs.field(default=3, validator=ge(1))
    reset_s: float = attrs.field(default=60.0, validator=gt(0))
    max_consecutive: int = attrs.field(default=10, validator=ge(1))
    healthy_s: float = attrs.field(default=60.0, validator=ge(0))
    units_min: int = attrs.field(default=3, validator=ge(0))
    initial_s: float = attrs.field(default=0.25, validator=gt(0))
    max_s: float = attrs.field(default=5.0, validator=gt(0))
    on_exhausted: Exhaustion = "stop"


@attrs.frozen
class Wait:
    """Start again after this long."""

    delay_s: float


@attrs.frozen
class Exhausted:
    """The policy is spent. Only "retry" tries again, once each `delay_s`, for ever."""

    delay_s: float | None
    then: Exhaustion


@attrs.frozen
class Breaker:
    """The memory of one actor's failures, and where it stands."""

    policy: Policy
    state: State = State.STOPPED
    consecutive: int = 0
    next_try_s: float | None = None

    def starting(self) -> Breaker:
        """Begin a life: the one probe of an open circuit, or an ordinary start."""
        is_probe = self.state in {State.OPEN, State.FAILED}
        return self._in(State.HALF_OPEN if is_probe else State.STARTING)

    def ready(self) -> Breaker:
        """Serve. A start alone never resets the count."""
        return self._in(State.RUNNING)

    def stopping(self) -> Breaker:
        return self._in(State.STOPPING)

    def stopped(self) -> Breaker:
        return self._in(State.STOPPED)

    def broken(self) -> Breaker:
        """Fail for good, whatever the policy says: no restart mends this."""
        return Breaker(self.policy, State.FAILED, self.consecutive + 1)

    def reset(self) -> Breaker:
        """Forget every failure, because an operator says so."""
        return attrs.evolve(self, consecutive=0)

    def healthy(self, *, health_s: float, units: int) -> Breaker:
        """Forget every failure if this life was ready long enough and did its work."""
        policy = self.policy
        is_proven = health_s >= policy.healthy_s and units >= policy.units_min
        if self.state is State.RUNNING and self.consecutive and is_proven:
            return attrs.evolve(self, consecutive=0)
        return self

    def failed(self, now_s: float, jitter: float) -> tuple[Breaker, Wait | Exhausted]:
        """Count a failure and decide. `jitter` is drawn from [0, 1) by the caller.

        It spreads a back-off over (0.5, 1) and an open circuit over (1, 1.1) of its
        length, so that crashed neighbours do not start in step.
        """
        policy, count = self.policy, self.consecutive + 1
        open_s = policy.reset_s * (1 + 0.1 * jitter)
        if count >= policy.max_consecutive:
            delay_s = open_s if policy.on_exhausted == "retry" else None
            breaker = self._after(count, State.FAILED, now_s, delay_s)
            return breaker, Exhausted(delay_s, policy.on_exhausted)
        if policy.circuit_breaker and count >= policy.threshold:
            return self._after(count, State.OPEN, now_s, open_s), Wait(open_s)
        doublings = min(count - 1, 60)  # beyond that a float has long met max_s
        wait_s = min(policy.max_s, policy.initial_s * 2**doublings)
        wait_s *= 0.5 + 0.5 * jitter
        return self._after(count, State.BACKOFF, now_s, wait_s), Wait(wait_s)

    def _in(self, state: State) -> Breaker:
        return attrs.evolve(self, state=state, next_try_s=None)

    def _after(
        self, count: int, state: State, now_s: float, delay_s: float | None
    ) -> Breaker:
        next_try_s = None if delay_s is None else now_s + delay_s
        return Breaker(self.policy, state, count, next_try_s)
