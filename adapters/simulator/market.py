"""One symbol's makers and takers: they quote around a price, refill, and trade.

They are the engine's account MAKERS: whatever they do goes through the same book as the
orders of everybody else, by the same price-time rule.
"""

from __future__ import annotations

import random
from decimal import Decimal

from actors.messages import Side
from actors.pure.matching import Engine
from actors.pure.matching_orders import MAKERS, Kind, Lasting, NewOrder, Order
from adapters.simulator.config import Listing
from adapters.simulator.prices import PriceWalk, to_step

REFILL_STEPS = 10  # levels that were eaten come back within so many steps


class Market:
    """Quotes and public trades of one symbol."""

    def __init__(
        self, listing: Listing, engine: Engine, walk: PriceWalk, chance: random.Random
    ) -> None:
        self._listing = listing
        self._engine = engine
        self._walk = walk
        self._chance = chance
        self._symbol = listing.venue_symbol
        self._best: dict[Side, dict[Decimal, Order]] = {side: {} for side in Side}
        self._levels: dict[Side, dict[Decimal, Order]] = {side: {} for side in Side}
        self._wanted: dict[Side, list[Decimal]] = {side: [] for side in Side}
        self._grid: dict[Side, Decimal] = {}
        self._steps = 0
        self._gap = to_step(float(listing.price) * listing.level_share, listing.tick)
        self._mid = listing.price
        share = listing.level_quote / float(listing.price)
        self._sizes = [
            to_step(share * (0.5 + chance.random()), listing.lot) for _ in range(97)
        ]

    def step(self, dt_s: float, now_ms: int) -> None:
        """Let the price move `dt_s` on, quote around it, and perhaps trade."""
        tick = self._listing.tick
        old = self._mid
        self._mid = mid = to_step(self._walk.step(dt_s), tick)
        half = tick * (self._listing.spread_ticks // 2)
        bid = max(mid - half, tick)
        self._quote_around(bid, bid + tick * self._listing.spread_ticks, now_ms)
        draw, lean, size = (self._chance.random() for _ in range(3))
        if draw < self._listing.trade_chance:
            rising = 0.5 + 0.3 * ((mid > old) - (mid < old))
            self._print(Side.BUY if lean < rising else Side.SELL, size, now_ms)

    def quote_top(
        self, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal], now_ms: int
    ) -> None:
        """Quote exactly this top of book (price, base), as a recording shows it."""
        for side in Side:
            self._withdraw(side, self._best, now_ms)
        for side, (price, base) in ((Side.BUY, bid), (Side.SELL, ask)):
            if price and base:
                self._best[side][price] = self._rest(side, price, base, now_ms)

    def _quote_around(self, bid: Decimal, ask: Decimal, now_ms: int) -> None:
        """Quote a new best bid and ask before a grid of levels that moves rarely."""
        gap = self._gap
        below = ask // gap * gap
        grid = {
            Side.BUY: bid // gap * gap,
            Side.SELL: below if below == ask else below + gap,
        }
        self._steps += 1
        is_grid_due = grid != self._grid or self._steps % REFILL_STEPS == 0
        for side in Side:
            self._withdraw(side, self._best, now_ms)
            if is_grid_due:
                self._clear_grid(side, grid[side], now_ms)
        for side, price in ((Side.BUY, bid), (Side.SELL, ask)):
            self._best[side][price] = self._rest(side, price, self._size(price), now_ms)
            if is_grid_due:
                self._fill_grid(side, now_ms)

    def _clear_grid(self, side: Side, first: Decimal, now_ms: int) -> None:
        """Withdraw the levels that do not belong behind a grid that begins at `first`."""
        step = -self._gap if side is Side.BUY else self._gap
        self._grid[side] = first
        prices = [first + step * n for n in range(self._listing.levels - 1)]
        self._wanted[side] = [price for price in prices if price > 0]
        kept = self._levels[side]
        for price in set(kept).difference(self._wanted[side]):
            self._engine_cancel(kept.pop(price), now_ms)

    def _fill_grid(self, side: Side, now_ms: int) -> None:
        kept = self._levels[side]
        for price in self._wanted[side]:
            if price not in kept or not kept[price].remaining:
                kept[price] = self._rest(side, price, self._size(price), now_ms)

    def _size(self, price: Decimal) -> Decimal:
        """Return what rests at `price`: by its last digits, so no chance is drawn."""
        steps = int(price / self._listing.tick)
        return self._sizes[steps % len(self._sizes)]

    def _print(self, side: Side, size: float, now_ms: int) -> None:
        """Let somebody take from the best level."""
        best = self._engine.books[self._symbol].against(side).best()
        if best is None:
            return
        base = to_step(
            size * size * 0.3 * self._listing.level_quote / float(best), self._listing.lot
        )
        self._submit(side, best, base, Lasting.IOC, now_ms)

    def _rest(self, side: Side, price: Decimal, base: Decimal, now_ms: int) -> Order:
        return self._submit(side, price, base, Lasting.GTC, now_ms)

    def _withdraw(
        self, side: Side, quotes: dict[Side, dict[Decimal, Order]], now_ms: int
    ) -> None:
        for order in quotes[side].values():
            self._engine_cancel(order, now_ms)
        quotes[side].clear()

    def _engine_cancel(self, order: Order, now_ms: int) -> None:
        if order.remaining:
            self._engine.cancel(order, now_ms)

    def _submit(
        self, side: Side, price: Decimal, base: Decimal, lasting: Lasting, now_ms: int
    ) -> Order:
        new = NewOrder(
            MAKERS, "", self._symbol, side, Kind.LIMIT, base, price, lasting=lasting
        )
        order = self._engine.place(new, now_ms)
        if not isinstance(order, Order):
            raise TypeError(f"the makers were refused: {order}")
        return order
