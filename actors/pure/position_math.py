"""Fold fills into what a bot holds of one symbol, what it paid and what it earned. Pure.

Ownership is by the fills of a bot's own orders (R-09), so two bots on one symbol hold two
positions. Money is net of fees: a fee in the base asset takes from what is held, a fee in
the quote asset takes from what is earned (R-18). A fee in a third asset is summed apart.

A position begins with the first fill from flat; its id is that order's client order id.
The cost of a part is rounded, so that sums of it are exact and the order in which the same
facts are heard makes no other state (I-5).

It ends with `PositionClosed`, which writes off what is too little to be sold: the dust
stays in `base`, at no cost, and goes out with the next exit. A fill may have been recorded
while that was decided: it was not meant, and counts as if it had come afterwards (R-12). So
an entry's begins another position, and an exit's sells of the dust.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import Corrected, Filled, Instrument, PositionClosed, Side
from actors.pure.money import ZERO, rounded, split_symbol

LATE_MAX = 8  # fills that may come while somebody decides that a position is over
CLOSED_MAX = 16  # positions of which an entry's late fill may still come


@attrs.frozen
class Holding:
    """What one bot holds of one symbol. Quantities in base, money in quote."""

    position_id: str = ""  # "" while flat
    base: Decimal = ZERO
    entry: Decimal = ZERO  # average price paid, without fees
    bought_base: Decimal = ZERO  # of this position, before fees
    cost_quote: Decimal = ZERO  # of what is held, with fees
    sold_base: Decimal = ZERO  # of this position
    sold_quote: Decimal = ZERO  # received for it, before fees
    realized_quote: Decimal = ZERO  # of this position, net of fees
    other_fees: tuple[tuple[str, Decimal], ...] = ()  # paid in a third asset
    closed_ids: tuple[str, ...] = ()  # of the positions before, newest last
    late: tuple[Filled, ...] = ()  # the newest, perhaps told while its end was decided
    before_late: Holding | None = None  # without these

    @property
    def is_open(self) -> bool:
        return bool(self.position_id)

    @property
    def exit_price(self) -> Decimal:
        """The average price of this position's exits, or 0 before the first."""
        return self.sold_quote / self.sold_base if self.sold_base else ZERO

    def unrealized(self, price: Decimal) -> Decimal:
        """Return what selling everything at `price` would add to what is realized."""
        return self.base * price - self.cost_quote

    def after(self, fill: Filled) -> Holding:
        """Return the holding after one fill. The caller tells each fill once (I-5)."""
        after = self.moved(fill)
        if not self.is_open:
            return after
        before, late = self.before_late or self, (*self.late, fill)
        if len(late) > LATE_MAX:
            before, late = before.moved(late[0]), late[1:]
        return attrs.evolve(after, late=late, before_late=before)

    def closed(self, dust_base: Decimal) -> Holding:
        """Return the flat holding after this position: only dust is left, at no cost.

        What was told after it had come down to that dust is not of this position.
        """
        ended, since = self._at(dust_base)
        closed = (*ended.closed_ids, ended.position_id)[-CLOSED_MAX:]
        flat = Holding(base=ended.base, other_fees=ended.other_fees, closed_ids=closed)
        for fill in since:
            flat = flat.after(fill)
        return flat

    def _at(self, dust_base: Decimal) -> tuple[Holding, tuple[Filled, ...]]:
        """Return the newest of what it was that had this base, and the fills since."""
        found: tuple[Holding, tuple[Filled, ...]] = self, ()
        if self.base == dust_base or self.before_late is None:
            return found
        held = self.before_late
        for number, fill in enumerate(self.late):
            if held.base == dust_base:
                found = held, self.late[number:]
            held = held.moved(fill)
        return found

    def moved(self, fill: Filled) -> Holding:
        """Return it after one fill, as if nothing could come late."""
        return self._bought(fill) if fill.side is Side.BUY else self._sold(fill)

    def corrected(self, base: Decimal) -> Holding:
        """Return the holding without `base`, which is gone and leaves at its cost."""
        gone = min(base, self.base)
        cost = self.cost_quote * gone / self.base if self.base else ZERO
        left, cost_left = self.base - gone, self.cost_quote - cost
        return attrs.evolve(
            self, base=left, cost_quote=cost_left, late=(), before_late=None
        )

    def loss_of_dust(self) -> Decimal:
        """Return what is realized once the rest is written off as dust."""
        return self.realized_quote - self.cost_quote

    def _bought(self, fill: Filled) -> Holding:
        fee_base, fee_quote, fees = self._fees(fill)
        bought = self.bought_base + fill.base
        paid = self.entry * self.bought_base + fill.price * fill.base
        before = (
            self if self.is_open else attrs.evolve(self, sold_base=ZERO, sold_quote=ZERO)
        )
        return attrs.evolve(
            before,
            position_id=self.position_id or self._new_id(fill),
            base=self.base + fill.base - fee_base,
            entry=paid / bought,
            bought_base=bought,
            cost_quote=self.cost_quote + fill.price * fill.base + fee_quote,
            other_fees=fees,
        )

    def _new_id(self, fill: Filled) -> str:
        """Return a position id; a late fill of a closed position's entry opens another."""
        if any(it.startswith(fill.client_order_id) for it in self.closed_ids):
            return f"{fill.client_order_id}/{fill.trade_id}"
        return fill.client_order_id

    def _sold(self, fill: Filled) -> Holding:
        fee_base, fee_quote, fees = self._fees(fill)
        gone = fill.base + fee_base
        is_all = gone >= self.base
        cost = self.cost_quote if is_all else rounded(self.cost_quote * gone / self.base)
        proceeds = fill.price * fill.base
        return attrs.evolve(
            self,
            base=self.base - gone,
            cost_quote=self.cost_quote - cost,
            sold_base=self.sold_base + fill.base,
            sold_quote=self.sold_quote + proceeds,
            realized_quote=self.realized_quote + proceeds - fee_quote - cost,
            other_fees=fees,
        )

    def _fees(
        self, fill: Filled
    ) -> tuple[Decimal, Decimal, tuple[tuple[str, Decimal], ...]]:
        base_asset, quote_asset = split_symbol(fill.symbol)
        if fill.fee_asset == base_asset:
            return fill.fee, ZERO, self.other_fees
        if fill.fee_asset == quote_asset:
            return ZERO, fill.fee, self.other_fees
        if not fill.fee:
            return ZERO, ZERO, self.other_fees
        sums = dict(self.other_fees)
        sums[fill.fee_asset] = sums.get(fill.fee_asset, ZERO) + fill.fee
        return ZERO, ZERO, tuple(sorted(sums.items()))


FLAT = Holding()


@attrs.define
class Holdings:
    """Every bot's holdings. `Books` sees to it that each fill comes here once (I-5)."""

    _held: dict[tuple[str, str], Holding] = attrs.Factory(dict[tuple[str, str], Holding])
    _base: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # by symbol
    _cost: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # by symbol
    _paid: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # by bot
    cost_quote: Decimal = ZERO  # of all that is held, with fees
    open: dict[tuple[str, str], None] = attrs.Factory(dict[tuple[str, str], None])
    corrections: dict[str, int] = attrs.Factory(dict[str, int])  # the last one, by asset

    def apply(self, fact: object) -> Holding | None:
        """Take one fact; return the holding it changed, or None."""
        match fact:
            case Filled():
                after = self.of(fact.bot, fact.symbol).after(fact)
            case PositionClosed():
                after = self.of(fact.bot, fact.symbol)
                if after.position_id != fact.position_id:
                    return None
                after = after.closed(fact.dust_base)
            case Corrected():
                after = self.of(fact.bot, fact.symbol).corrected(fact.base)
                self._count(fact)
            case _:
                return None
        self._put((fact.bot, fact.symbol), after)
        return after

    def of(self, bot: str, symbol: str) -> Holding:
        """Return what a bot holds of a symbol; flat when it never had any."""
        return self._held.get((bot, symbol), FLAT)

    def bots_of(self, symbol: str) -> list[str]:
        """Return the bots that hold something of a symbol, dust included, by name."""
        held = self._held.items()
        return sorted(bot for (bot, of), it in held if of == symbol and it.base > 0)

    def base_by_symbol(self) -> dict[str, Decimal]:
        """Return what all bots together hold of each symbol, dust included."""
        return self._base

    def cost_of(self, symbol: str) -> Decimal:
        """Return what all bots together paid for what they hold of a symbol, with fees."""
        return self._cost.get(symbol, ZERO)

    def cost_to(self, bot: str) -> Decimal:
        """Return what a bot paid for all that it holds, with fees; of any symbol."""
        return self._paid.get(bot, ZERO)

    def _count(self, fact: Corrected) -> None:
        """Follow the numbers; one that a salvage lost was given all the same."""
        asset, _ = split_symbol(fact.symbol)
        self.corrections[asset] = max(self.corrections.get(asset, 0) + 1, fact.number)

    def _put(self, owner: tuple[str, str], after: Holding) -> None:
        before = self._held.get(owner, FLAT)
        self._held[owner] = after
        cost = after.cost_quote - before.cost_quote
        self.cost_quote += cost
        symbol = owner[1]
        _add(self._base, symbol, after.base - before.base)
        _add(self._cost, symbol, cost)
        _add(self._paid, owner[0], cost)
        if after.is_open:
            self.open[owner] = None
        else:
            self.open.pop(owner, None)


def _add(sums: dict[str, Decimal], symbol: str, more: Decimal) -> None:
    total = sums.get(symbol, ZERO) + more
    if total:
        sums[symbol] = total
    else:
        sums.pop(symbol, None)


def least_base(instrument: Instrument, price: Decimal) -> Decimal:
    """Return the smallest quantity that a market order at `price` may have.

    A venue that has no smallest notional for market orders sets no second bound.
    """
    least = max(instrument.base_min, instrument.lot)
    if instrument.quote_min and instrument.is_quote_min_for_market and price > 0:
        return max(least, instrument.quote_min / price)
    return least


def most_for_quote(price: Decimal, instrument: Instrument) -> Decimal:
    """Return the most that one order at `price` may have by its notional; 0: no bound."""
    return instrument.quote_max / price if price > 0 else ZERO


def protective_base(base: Decimal, limit_price: Decimal, instrument: Instrument) -> Decimal:
    """Return how much of `base` one stop at this limit may sell, or 0: it is too little.

    Source: Binance, filters.md, NOTIONAL: of a stop-loss-limit order at its limit price.
    """
    bounds = (instrument.base_max, most_for_quote(limit_price, instrument))
    floored = instrument.floor_base(min((base, *filter(None, bounds))))
    is_enough = floored >= max(instrument.base_min, instrument.lot) and floored > 0
    is_worth = floored * limit_price >= instrument.quote_min
    return floored if is_enough and is_worth else ZERO


def sellable_base(base: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Return how much of `base` one exit may sell, or 0 when it is too little (R-18)."""
    floored = instrument.floor_base(base)
    return floored if floored > 0 and floored >= least_base(instrument, price) else ZERO


def is_gone(holding: Holding, price: Decimal | None, instrument: Instrument) -> bool:
    """Tell whether what is left of a position can no longer be sold (R-18).

    Before anything was sold only the lot decides: a price may rise again.
    """
    at = (price or holding.exit_price) if holding.sold_base else ZERO
    return not sellable_base(holding.base, at, instrument)
