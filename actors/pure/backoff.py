"""How long a feed waits before it connects again."""

from __future__ import annotations


def reconnect_delay_s(
    attempt: int,
    *,
    initial_s: float,
    max_s: float,
    multiplier: float,
    jitter: float,
    unit: float,
) -> float:
    """Return the wait before this attempt, spread by ± `jitter` of itself.

    Shape: attempt 1 is the first; unit is drawn from [0, 1) by the caller.
    Units: jitter 0.1 is ±10 %, 1 is anything from nothing to twice the wait.
    The bound is applied before the spread, so that a whole fleet at the bound still
    does not come back in one instant.
    """
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not {attempt}")
    wait_s = initial_s
    for _ in range(attempt - 1):
        if wait_s >= max_s:
            break
        wait_s *= multiplier
    return min(wait_s, max_s) * (1 + jitter * (2 * unit - 1))
