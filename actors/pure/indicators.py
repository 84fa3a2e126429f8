"""Averages of prices, in Decimal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal


def ema_step(average: Decimal, close: Decimal, weight: Decimal) -> Decimal:
    """Return the exponential average after one more close; `weight` = 2 / (n + 1)."""
    return average + (close - average) * weight


def ema_weight(periods: int) -> Decimal:
    """Return how much the newest close counts in an average over `periods`."""
    return Decimal(2) / (periods + 1)


def ema(closes: Sequence[Decimal], periods: int) -> list[Decimal]:
    """Return the exponential averages, begun with the mean of the first `periods`.

    Shape: n closes in, n - periods + 1 averages out; oldest first; n >= periods >= 1.
    """
    averages = [sum(closes[:periods], Decimal(0)) / periods]
    averages.extend(_steps(averages[0], closes[periods:], ema_weight(periods)))
    return averages


def _steps(
    average: Decimal, closes: Iterable[Decimal], weight: Decimal
) -> Iterable[Decimal]:
    for close in closes:
        average = ema_step(average, close, weight)
        yield average
