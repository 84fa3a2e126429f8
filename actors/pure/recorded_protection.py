"""Read from a position's recorded beginning what its owner wanted guarded. Pure.

The levels of a position move with further entries, and only their beginning is recorded:
without it, whoever changes or removes a bot would loosen the stop of what it holds (R-15).
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import attrs

from actors.messages import PositionOpened, Protection
from actors.pure.money import ZERO

# Rounded up to this many digits a percentage gives the recorded level again, to the tick.
_PLACES = Decimal("1E-9")


def recorded_protection(fact: PositionOpened, wanted: Protection) -> Protection:
    """Return the protection of the settings now, with what was recorded where it is nearer.

    A recorded stop does not say whether it trails, so its own distance counts in any case:
    a wider trailing distance would loosen the stop of a position that grew.
    """
    stop = wanted.stop_loss_percent
    was = _percent(fact.entry, fact.stop_loss, is_below=True)
    if was is not None and was > ZERO:
        stop = was if stop is None else min(was, stop)
    return attrs.evolve(
        wanted,
        stop_loss_percent=stop,
        take_profit_percent=wanted.take_profit_percent
        or _percent(fact.entry, fact.take_profit, is_below=False),
        trailing_stop_percent=wanted.trailing_stop_percent or fact.trailing_stop,
    )


def nearer(one: Protection, other: Protection) -> Protection:
    """Return what guards what two entries have bought: of each level the nearer one."""
    return Protection(
        _least(one.stop_loss_percent, other.stop_loss_percent),
        _least(one.take_profit_percent, other.take_profit_percent),
        _least(one.trailing_stop_percent, other.trailing_stop_percent),
    )


def _least(*percents: Decimal | None) -> Decimal | None:
    return min((each for each in percents if each is not None), default=None)


def _percent(entry: Decimal, level: Decimal | None, *, is_below: bool) -> Decimal | None:
    if level is None or entry <= ZERO:
        return None
    share = 1 - level / entry if is_below else level / entry - 1
    return (share * 100).quantize(_PLACES, ROUND_CEILING)
