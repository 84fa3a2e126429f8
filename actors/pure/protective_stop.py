"""Decide which stop the exchange must hold for one position, and when to ask. Pure.

The trigger is the position's own stop level, the limit a little below it. The stop is
asked for as soon as something was bought, made as large as the position after further
fills, and raised behind a trailing stop; it is never loosened (R-15). One that the venue
refuses, or takes and ends again and again, is asked for ever more slowly, and the
position's own guard stays the line.

    none --asked--> resting --bought more, stop moved: replaced--> resting
      ^                |
      +--refused-------+--the market came to it--> sold
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import inf

import attrs

from actors.messages import ExitIntent, Instrument, OrderStatus, OrderType
from actors.pure.asking import Asking
from actors.pure.exits import Levels
from actors.pure.money import ZERO, below
from actors.pure.order_life import Order
from actors.pure.position_math import protective_base

LIMIT_PERCENT = Decimal("0.5")  # of a limit below its trigger, where nobody says so
RESIZE_EVERY_S = 1.0  # the first stop never waits
RAISE_EVERY_S = 10.0  # the guard itself sells at the finer level meanwhile
RETRY_S_MAX = 60.0  # between stops that the venue refuses, or ends
ASKING_S = 1.0  # in which an exit waits for the stop that is on its way
BARE_S = 10.0  # S of I-14: a position so long without its stop is told to a person

RESTING = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})


@attrs.frozen
class StopWanted:
    """The stop that should rest at the exchange."""

    base: Decimal  # 0: the position is too small for one
    stop_price: Decimal
    limit_price: Decimal


@attrs.define
class ProtectiveStop:
    """What was asked for, and what came of it."""

    instrument: Instrument
    limit_percent: Decimal | None  # below the trigger; None: none is to rest there
    refused: str = ""  # why the last one was
    _asking: Asking = attrs.Factory(lambda: Asking(RETRY_S_MAX, free_tries=1))
    _content: tuple[Decimal | None, Levels | None, Order | None] = (None, None, None)
    _bare_since_s: float = inf
    _bare_why: str = ""
    _gone: int = 0  # stops that were taken, and ended unfilled soon after each other

    # What is learned

    def asked(self, intent: ExitIntent, now_s: float) -> None:
        """Remember the stop that is on its way."""
        if now_s - self._asking.asked_s > 2 * RETRY_S_MAX:
            self._gone = 0
        self._asking.asked(intent, now_s)

    def answered(self, intent_id: str, refused: str = "") -> None:
        """Take the answer to a stop: it was begun, or refused."""
        if self._asking.answered(intent_id):
            self.refused = refused or self.refused

    def rests(self) -> None:
        """Take the venue's word that a stop rests there."""
        self.refused = ""
        self._asking.begin_anew()

    def ended(self, order: Order, exits: Sequence[Order]) -> None:
        """Take the end of a stop. Whatever took it away may take the next one, too, and
        endless orders would cost the exits their room in the venue's limits.

        `exits` that live have replaced it.
        """
        if order.venue_order_id and not (order.filled_base or exits):
            self._gone += 1

    def ask_again(self) -> None:
        """Forget how long to wait: what stood in the way is gone."""
        self._asking.begin_anew()

    def relisted(self, instrument: Instrument) -> None:
        """Take what the exchange allows from now on; what rests there stays good."""
        self.instrument, self._content = instrument, (None, None, None)

    # What is decided

    def is_asking(self, now_s: float) -> bool:
        """Tell whether a stop is on its way, which an exit must not run into."""
        is_young = now_s < self._asking.asked_s + ASKING_S
        return is_young and self._asking.is_under_way(now_s)

    def wanted(
        self,
        base: Decimal,
        levels: Levels,
        resting: Order | None,
        price: Decimal | None,
        now_s: float,
    ) -> StopWanted | None:
        """Return the stop to ask for now, or None.

        Without a price none is raised: one that the market is below would be refused, and
        the old one be gone.
        """
        held, held_levels, held_stop = self._content
        if resting is held_stop and base is held and levels is held_levels:
            return None  # nothing changed since it was as wanted: most prices end here
        aim = self.aim(base, levels, resting, is_raised=price is not None)
        if aim is None or not aim.base or not self._asking.may_ask(now_s):
            return None
        pause_s = self._pause_s(aim, resting)
        if pause_s is None:
            if price is not None:
                self._content = base, levels, resting
            return None
        return aim if now_s - self._asking.asked_s >= pause_s else None

    def aim(
        self,
        base: Decimal,
        levels: Levels,
        resting: Order | None,
        *,
        is_raised: bool = True,
    ) -> StopWanted | None:
        """Return the stop that should rest for `base`; None where there is none to be."""
        stop_price, percent = levels.stop_loss, self.limit_percent
        if stop_price is None or percent is None or not self.can_rest:
            return None
        if resting is not None and resting.intended.stop_price is not None:
            lowest = resting.intended.stop_price
            stop_price = max(stop_price, lowest) if is_raised else lowest
        stop_price = self.instrument.ceil_price(stop_price)  # the tick may have changed
        limit_price = self.instrument.floor_price(below(stop_price, percent))
        limit_price = max(limit_price, self.instrument.tick, self.instrument.price_min)
        base = protective_base(base, limit_price, self.instrument)
        return StopWanted(base, stop_price, limit_price)

    def _pause_s(self, aim: StopWanted, resting: Order | None) -> float | None:
        """Return how long after the last request it may be replaced; None is never."""
        if resting is None:  # one that is gone is asked for again at once
            wait_s = 2.0 ** min(self._gone - 2, 10) if self._gone > 1 else 0.0
            return min(wait_s, RETRY_S_MAX)
        if resting.status is not OrderStatus.OPEN or resting.filled_base:
            return None
        if aim.base != resting.open_base:
            return RESIZE_EVERY_S
        at = resting.intended.stop_price
        is_there = at is not None and aim.stop_price == self.instrument.ceil_price(at)
        return None if is_there else RAISE_EVERY_S

    @property
    def can_rest(self) -> bool:
        """Whether the exchange takes such stops."""
        return OrderType.STOP_LOSS_LIMIT.value in self.instrument.order_types

    def is_bare(
        self, base: Decimal, levels: Levels, exits: Iterable[Order], now_s: float
    ) -> bool:
        """Tell whether the position lacks (part of) its stop at the exchange now.

        One that rests there stays good where the exchange takes no other.
        """
        if levels.stop_loss is None or self.limit_percent is None:
            self._bare_since_s = inf
            return False
        held = [each for each in exits if each.is_protective and each.status in RESTING]
        covered = max((each.open_base for each in held), default=ZERO)
        aim = self.aim(base, levels, held[-1] if held else None)
        wanted = aim.base if aim is not None else ZERO
        is_bare = not covered or covered < (wanted or self.instrument.floor_base(base))
        self._bare_since_s = min(self._bare_since_s, now_s) if is_bare else inf
        is_small = aim is not None and not aim.base
        why = "it is less than a stop may sell there" if is_small else "none rests there"
        self._bare_why = self.refused or why
        return is_bare

    def trouble(self, now_s: float) -> str:
        """Return why a person must know that no stop rests, or "" while all is well."""
        if self._bare_since_s == inf:
            return ""
        if not self.can_rest:
            return f"{self.instrument.exchange} takes no {self.instrument.symbol} stops"
        is_told = self.refused or now_s >= self._bare_since_s + BARE_S
        return self._bare_why if is_told else ""
