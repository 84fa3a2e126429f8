"""Decide when a position must be closed: stop loss, take profit, trailing stop. Pure.

stop = entry * (1 - percent / 100), rounded to the tick on the side that protects sooner.
Where one tick is more than that distance, a level is one tick away from the price it is
taken from: at that price itself, a position would be sold as soon as it was bought.

The trailing stop follows the highest price seen and only ever rises (R-15). The stop is
judged before the target. A stop counts from the moment it is recorded, so that a crash
never finds a looser one than the life before had.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import ExitReason, Instrument, Protection
from actors.pure.money import ZERO, above, below


@attrs.frozen
class Levels:
    """The prices that end one position, and the highest price it has seen."""

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    trailing_stop: Decimal | None = None  # percent
    high: Decimal = ZERO
    is_trailed: bool = False  # whether the trailing stop is the nearer one


def levels_of(entry: Decimal, protection: Protection, instrument: Instrument) -> Levels:
    """Return the levels of a position that has just been entered at `entry`."""
    levels = Levels(trailing_stop=protection.trailing_stop_percent)
    if protection.stop_loss_percent is not None:
        stop = _stop_below(entry, protection.stop_loss_percent, instrument)
        levels = attrs.evolve(levels, stop_loss=stop)
    if protection.take_profit_percent is not None:
        target = instrument.floor_price(above(entry, protection.take_profit_percent))
        target = max(target, instrument.ceil_price(entry) + instrument.tick)
        levels = attrs.evolve(levels, take_profit=target)
    return trailed(levels, entry, instrument) or levels


def with_entry(
    levels: Levels, entry: Decimal, protection: Protection, instrument: Instrument
) -> Levels:
    """Return the levels after the average entry moved; the stop never loosens (R-15)."""
    fresh = levels_of(entry, protection, instrument)
    stop, is_trailed = _nearer(levels, fresh)
    return Levels(
        stop_loss=stop,
        take_profit=fresh.take_profit or levels.take_profit,
        trailing_stop=levels.trailing_stop or fresh.trailing_stop,
        high=max(levels.high, fresh.high),
        is_trailed=is_trailed,
    )


def trailed(levels: Levels, price: Decimal, instrument: Instrument) -> Levels | None:
    """Return the levels after a new high, or None when nothing moved by a tick."""
    if levels.trailing_stop is None or price <= levels.high:
        return None
    stop = _stop_below(price, levels.trailing_stop, instrument)
    if levels.stop_loss is not None and stop < levels.stop_loss + instrument.tick:
        return None
    return attrs.evolve(levels, stop_loss=stop, high=price, is_trailed=True)


def moved(levels: Levels, stop_loss: Decimal, high: Decimal) -> Levels:
    """Return the levels after a recorded move of the trailing stop; never looser."""
    if levels.stop_loss is not None and stop_loss < levels.stop_loss:
        return levels
    return attrs.evolve(
        levels, stop_loss=stop_loss, high=max(high, levels.high), is_trailed=True
    )


def judge(levels: Levels, price: Decimal) -> ExitReason | None:
    """Return why a position must be closed at `price`, or None. Stop before target."""
    if levels.stop_loss is not None and price <= levels.stop_loss:
        return ExitReason.TRAILING_STOP if levels.is_trailed else ExitReason.STOP_LOSS
    if levels.take_profit is not None and price >= levels.take_profit:
        return ExitReason.TAKE_PROFIT
    return None


def _stop_below(price: Decimal, percent: Decimal, instrument: Instrument) -> Decimal:
    """Return the stop `percent` under `price`, a tick below it at least.

    No venue takes a stop at 0: under the lowest price of all it is the lowest tick.
    """
    stop = instrument.ceil_price(below(price, percent))
    a_tick_below = instrument.floor_price(price) - instrument.tick
    return max(min(stop, a_tick_below), instrument.tick)


def _nearer(old: Levels, new: Levels) -> tuple[Decimal | None, bool]:
    if old.stop_loss is None:
        return new.stop_loss, new.is_trailed
    if new.stop_loss is None or old.stop_loss >= new.stop_loss:
        return old.stop_loss, old.is_trailed
    return new.stop_loss, new.is_trailed
