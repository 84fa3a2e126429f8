"""Decide how long a lost connection waits before its next try, and when to give up. Pure.

The count of attempts resets only after the connection stayed healthy for `healthy_s`
(R-27); when the attempts are spent the actor crashes and its circuit breaker takes over.
"""

from __future__ import annotations

import attrs

from actors.pure.backoff import reconnect_delay_s


@attrs.frozen
class ReconnectPolicy:
    """`[exchanges.X] reconnect` in bots.toml."""

    attempts: int = 5
    initial_s: float = 1.0
    max_s: float = 30.0
    multiplier: float = 2.0
    jitter: float = 0.1
    healthy_s: float = 60.0


@attrs.frozen
class Reconnect:
    """The memory of one connection's losses."""

    policy: ReconnectPolicy
    attempt: int = 0  # since the last healthy time
    connected_s: float | None = None

    def connected(self, now_s: float) -> Reconnect:
        """Record that the connection stands."""
        return attrs.evolve(self, connected_s=now_s)

    def lost(
        self, now_s: float, unit: float, *, at_least_s: float = 0.0
    ) -> tuple[Reconnect, float | None]:
        """Record a loss; return the wait before the next try, None when all are spent.

        `unit` is random in [0, 1); `at_least_s` is what the venue told us to wait.
        """
        was_healthy = (
            self.connected_s is not None
            and now_s - self.connected_s >= self.policy.healthy_s
        )
        attempt = 1 if was_healthy else self.attempt + 1
        after = attrs.evolve(self, attempt=attempt, connected_s=None)
        if attempt > self.policy.attempts:
            return after, None
        delay_s = reconnect_delay_s(
            attempt,
            initial_s=self.policy.initial_s,
            max_s=self.policy.max_s,
            multiplier=self.policy.multiplier,
            jitter=self.policy.jitter,
            unit=unit,
        )
        return after, max(delay_s, at_least_s)
