"""The state of one simulated exchange: books, accounts, prices, and what it remembers.

It outlives the server: a simulator that is started again goes on where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import attrs
import trio

from actors.messages import BookSnapshot
from actors.pure.matching import Engine
from actors.pure.matching_book import Book, Changes
from actors.pure.matching_orders import (
    Fees,
    Fill,
    Happened,
    NewOrder,
    Order,
    Pair,
    Rejection,
    Step,
    Trade,
)
from adapters.simulator.bar import Bar
from adapters.simulator.chart import Chart
from adapters.simulator.clock import SimulatorClock
from adapters.simulator.config import (
    FEES_IN_QUOTE,
    ApiKey,
    Listing,
    SimulatorConfig,
    seeded,
)
from adapters.simulator.day import RollingDay
from adapters.simulator.faults import Faults
from adapters.simulator.market import Market
from adapters.simulator.order_store import AccountFill, OrderStore
from adapters.simulator.past import DrawPast, draw_past
from adapters.simulator.prices import PriceWalk
from adapters.simulator.venue_limits import VenueLimits

FIRST_ID = 1_000_000


@attrs.define(eq=False)
class Ware:
    """One symbol with everything that is known about it."""

    listing: Listing
    book: Book
    market: Market
    chart: Chart
    day: RollingDay
    fast: Changes  # of the 100 ms diff stream
    slow: Changes  # of the 1000 ms diff stream


@attrs.define
class News:
    """What happened, for those who tell it to clients."""

    happened: Happened
    closed: list[tuple[str, str, Bar]]  # symbol, timeframe, candle


class Exchange:
    """One venue: its dialects ask and tell, its engine decides."""

    def __init__(
        self,
        config: SimulatorConfig,
        seed: int,
        clock: SimulatorClock,
        starts_ms: Mapping[str, int],
        draw_past: DrawPast = draw_past,
    ) -> None:
        """Open the venue; `starts_ms` says where a recorded market's charts begin."""
        self._draw_past = draw_past
        self.config = config
        self.clock = clock
        self.faults = Faults()
        self.limits = VenueLimits(config.limits)
        self.keys = {key.key: key for key in config.keys}
        self.chance = seeded(seed, "ids")
        self.requests: dict[str, int] = {}  # by endpoint, for the truth
        self.asked: dict[tuple[str, str], int] = {}  # (account, client id) -> requests
        self.fills: dict[tuple[str, str], list[AccountFill]] = {}
        self.recorded_depth: Callable[[str, int], BookSnapshot] | None = None
        self.tape = {it.venue_symbol: deque[Trade](maxlen=1000) for it in config.listings}
        self.orders_taken = 0
        self._order_waiters: list[tuple[int, trio.Event]] = []
        self.engine = _engine(config)
        self.store = OrderStore(self.engine, self.fills, self.faults, self.now_ms)
        self.wares = {
            it.venue_symbol: self._ware(it, seed, starts_ms.get(it.venue_symbol))
            for it in config.listings
        }
        for key in config.keys:
            self.add_key(key)
        self.engine.drain()

    def add_key(self, key: ApiKey) -> None:
        """Let a new account trade."""
        self.keys[key.key] = key
        for asset, amount in key.balances.items():
            self.engine.deposit(key.name, asset, amount)

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def told_ms(self) -> int:
        """Return the time that the venue claims it is."""
        return self.clock.now_ms() + self.faults.skew_ms()

    def step(self, dt_s: float) -> None:
        """Let every market move on."""
        now_ms = self.now_ms()
        for ware in self.wares.values():
            ware.market.step(dt_s, now_ms)

    def place(self, new: NewOrder) -> Order | Rejection:
        """Place an order of an account; `news` has the rest."""
        result = self.engine.place(new, self.now_ms())
        if isinstance(result, Order):
            self.orders_taken += 1
            self.limits.count_order(new.account, 1, self.now_ms())
            self._wake_order_waiters()
        return result

    def cancel(self, order: Order, cancel_id: str) -> None:
        self.engine.cancel(order, self.now_ms(), cancel_id)

    def purge(self, symbol: str) -> None:
        """Cancel every account's open orders of a symbol, or with "" all of them."""
        for order in [it for it in self.engine.orders.values() if it.is_open]:
            if symbol in {"", self.wares[order.symbol].listing.symbol}:
                self.cancel(order, "")

    def news(self) -> News:
        """Book what happened since the last call, and return it to be told."""
        happened = self.engine.drain()
        closed: list[tuple[str, str, Bar]] = []
        if not self.config.replay:
            for trade in happened.trades:
                closed += self.trade(trade)
        for report in happened.reports:
            if report.fill is not None:
                self._remember(report.order, report.fill)
            if report.step is Step.TRADE and len(report.order.fills) == 1:
                self.limits.count_order(report.order.account, -1, report.at_ms)
        return News(happened, closed)

    def trade(self, trade: Trade) -> list[tuple[str, str, Bar]]:
        """Book a public trade; return the candles that it closed."""
        ware = self.wares[trade.symbol]
        closed = self._closed(trade.symbol, trade.trade_ms)
        ware.chart.trade(trade.price, trade.base, trade.trade_id)
        ware.day.trade(trade.price, trade.base, trade.trade_id, trade.trade_ms)
        self.tape[trade.symbol].append(trade)
        return closed

    def roll(self, now_ms: int) -> list[tuple[str, str, Bar]]:
        """Return the candles that time closed."""
        closed: list[tuple[str, str, Bar]] = []
        for symbol, ware in self.wares.items():
            ware.day.roll(now_ms)
            closed += self._closed(symbol, now_ms)
        return closed

    async def wait_orders(self, count: int) -> None:
        """Return when so many orders have been taken in all."""
        if self.orders_taken < count:
            event = trio.Event()
            self._order_waiters.append((count, event))
            await event.wait()
        else:
            await trio.lowlevel.checkpoint()

    def _closed(self, symbol: str, now_ms: int) -> list[tuple[str, str, Bar]]:
        rolled = self.wares[symbol].chart.roll(now_ms)
        return [(symbol, timeframe, bar) for timeframe, bar in rolled]

    def _remember(self, order: Order, fill: Fill) -> None:
        key = (order.account, order.symbol)
        self.fills.setdefault(key, []).append(AccountFill(order, fill))

    def _wake_order_waiters(self) -> None:
        for waiter in list(self._order_waiters):
            count, event = waiter
            if self.orders_taken >= count:
                event.set()
                self._order_waiters.remove(waiter)

    def _ware(self, listing: Listing, seed: int, start_ms: int | None) -> Ware:
        config, name = self.config, listing.symbol
        now_ms = start_ms or self.now_ms()
        walk = PriceWalk(
            listing, seeded(seed, name, "walk"), config.scenario, config.scenario_every_s
        )
        chart = Chart(self._draw_past(listing, seed, now_ms))
        book = self.engine.books[listing.venue_symbol]
        market = Market(listing, self.engine, walk, seeded(seed, name, "market"))
        ware = Ware(
            listing,
            book,
            market,
            chart,
            RollingDay(chart),
            book.watch(),
            book.watch(),
        )
        self.engine.tell_last(listing.venue_symbol, listing.price, now_ms)
        if start_ms is None:
            market.step(0.0, now_ms)
        return ware


def _engine(config: SimulatorConfig) -> Engine:
    pairs = [
        Pair(it.venue_symbol, it.base_asset, it.quote_asset, it.lot)
        for it in config.listings
    ]
    fees = Fees(
        config.maker_fee, config.taker_fee, is_in_quote=config.dialect in FEES_IN_QUOTE
    )
    return Engine(pairs, fees, first_id=FIRST_ID)
