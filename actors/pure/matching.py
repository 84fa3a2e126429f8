"""Match orders by price, then time, and settle them: the simulator's and paper's venue.

Pure: times come in as arguments, what happened is collected and taken with `drain`.

    place --> refused (a Rejection)
      |
      v                  trigger price traded
    OPEN, parked (stop) ----------------------+
      |                                       v
      +--> works: takes what crosses, then rests | FILLED | EXPIRED (market, IOC, FOK rest)
                                              |
                                   cancel --> CANCELED
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from actors.messages import OrderStatus, Side
from actors.messages.instruments import floor_to
from actors.pure.matching_book import Book
from actors.pure.matching_judge import is_triggered, judge_price, price_of
from actors.pure.matching_orders import (
    CONDITIONAL,
    MAKERS,
    ZERO,
    Fees,
    Fill,
    Happened,
    Kind,
    Lasting,
    NewOrder,
    Order,
    Pair,
    Rejection,
    Report,
    Step,
    Trade,
)
from actors.pure.matching_wallets import Wallets


class Engine:
    """Every book and every account of one simulated venue."""

    def __init__(self, pairs: Iterable[Pair], fees: Fees, *, first_id: int = 1) -> None:
        self.pairs = {pair.symbol: pair for pair in pairs}
        self.fees = fees
        self.books = {symbol: Book(first_id) for symbol in self.pairs}
        self.wallets = Wallets()
        self.last: dict[str, Decimal] = {}
        self.orders: dict[int, Order] = {}  # the accounts' orders, for ever
        self.by_client: dict[tuple[str, str], list[Order]] = {}
        self._open: dict[tuple[str, str], Order] = {}
        self._parked: dict[str, dict[int, Order]] = {symbol: {} for symbol in self.pairs}
        self._next_order_id = first_id
        self._next_trade_id = dict.fromkeys(self.pairs, first_id)
        self._happened = Happened()

    def drain(self) -> Happened:
        """Return what happened since the last call."""
        happened, self._happened = self._happened, Happened()
        return happened

    def deposit(self, account: str, asset: str, amount: Decimal) -> None:
        self.wallets.add(account, asset, amount)
        self._touch(account, asset)

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        return [
            order
            for (owner, _), order in self._open.items()
            if owner == account and symbol in {None, order.symbol}
        ]

    def place(self, new: NewOrder, now_ms: int) -> Order | Rejection:
        """Take an order, or say why not. A refused order leaves no trace."""
        rejection = self.judge(new)
        if rejection is not None:
            return rejection
        order = self._admit(new, now_ms)
        if new.kind in CONDITIONAL:
            self._parked[new.symbol][order.order_id] = order
            self._report(Step.NEW, order, now_ms)
        else:
            self._work(order, Step.NEW, now_ms)
            self._fire_stops(new.symbol, now_ms)
        return order

    def judge(self, new: NewOrder) -> Rejection | None:
        """Return why the engine would refuse `new` now, or None."""
        if new.account == MAKERS:
            return None
        if (new.account, new.client_order_id) in self._open:
            return Rejection.DUPLICATE
        book = self.books[new.symbol]
        rejection = judge_price(new, book, self.last.get(new.symbol))
        if rejection is not None:
            return rejection
        amount, asset = price_of(new, self.pairs[new.symbol], book, self.fees.on_top)
        is_short = amount > self.wallets.free(new.account, asset)
        return Rejection.INSUFFICIENT_BALANCE if is_short else None

    def cancel(self, order: Order, now_ms: int, cancel_id: str = "") -> None:
        """End an open order; what it had reserved is free again."""
        order.cancel_id = cancel_id
        if self._parked[order.symbol].pop(order.order_id, None) is None:
            self.books[order.symbol].reduce(order, order.remaining)
        self._end(order, Step.CANCELED, OrderStatus.CANCELED, now_ms)

    def amend(self, order: Order, base: Decimal, price: Decimal, now_ms: int) -> bool:
        """Give a resting limit order another size and price; it loses its place.

        Returns whether it can be paid for; if not, nothing has changed.
        """
        pair, is_buy = self.pairs[order.symbol], order.side is Side.BUY
        left = base - order.filled_base
        cost = left * price * (1 + self.fees.on_top) if is_buy else left
        asset = pair.quote_asset if is_buy else pair.base_asset
        if cost > self.wallets.free(order.account, asset) + order.locked:
            return False
        self.books[order.symbol].reduce(order, order.remaining)
        self.wallets.lock(order.account, asset, cost - order.locked)
        order.base, order.price, order.locked = base, price, cost
        self._touch(order.account, asset)
        self._work(order, Step.AMENDED, now_ms)
        self._fire_stops(order.symbol, now_ms)
        return True

    def tell_last(self, symbol: str, price: Decimal, now_ms: int) -> None:
        """Say that somebody traded at `price` elsewhere: stops may fire."""
        self.last[symbol] = price
        self._fire_stops(symbol, now_ms)

    def _admit(self, new: NewOrder, now_ms: int) -> Order:
        order = Order(
            order_id=self._next_order_id,
            account=new.account,
            client_order_id=new.client_order_id,
            symbol=new.symbol,
            side=new.side,
            kind=new.kind,
            lasting=new.lasting,
            base=new.base,
            quote=new.quote,
            price=new.price,
            stop_price=new.stop_price,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        self._next_order_id += 1
        if new.account == MAKERS:
            return order
        key = (new.account, new.client_order_id)
        self.orders[order.order_id] = self._open[key] = order
        self.by_client.setdefault(key, []).append(order)
        if new.kind is not Kind.MARKET:
            pair, book = self.pairs[new.symbol], self.books[new.symbol]
            order.locked, asset = price_of(new, pair, book, self.fees.on_top)
            self.wallets.lock(new.account, asset, order.locked)
            self._touch(new.account, asset)
        return order

    def _work(self, order: Order, step: Step, now_ms: int) -> None:
        order.working_ms = order.updated_ms = now_ms
        self._report(step, order, now_ms)
        book = self.books[order.symbol]
        if order.lasting is Lasting.FOK:
            got, _ = book.fillable(order.side, order.price, order.base)
            if got < order.base:
                self._end(order, Step.EXPIRED, OrderStatus.EXPIRED, now_ms)
                return
        self._take(order, book, now_ms)
        is_done = order.status is OrderStatus.FILLED or not order.remaining
        if order.quote:
            is_done = order.status is OrderStatus.FILLED
            order.base = order.filled_base
        if is_done:
            self._forget(order)
        elif order.kind is Kind.MARKET or order.lasting is not Lasting.GTC:
            self._end(order, Step.EXPIRED, OrderStatus.EXPIRED, now_ms)
        else:
            book.add(order)

    def _take(self, taker: Order, book: Book, now_ms: int) -> None:
        against = book.against(taker.side)
        while maker := against.first():
            if taker.price and not against.crosses(taker.price):
                return
            base = min(self._wanted(taker, maker.price), maker.remaining)
            if not base:
                return
            self._trade(taker, maker, base, now_ms)

    def _wanted(self, taker: Order, price: Decimal) -> Decimal:
        if not taker.quote:
            return taker.remaining
        left, on_top = taker.quote - taker.filled_quote, ZERO
        if self.fees.is_in_quote and taker.side is Side.BUY:
            left -= sum((fill.fee for fill in taker.fills), ZERO)
            on_top = self.fees.on_top
        base = floor_to(left / (price * (1 + on_top)), self.pairs[taker.symbol].lot)
        if taker.side is Side.BUY or taker.account == MAKERS:
            return base
        held = self.wallets.free(taker.account, self.pairs[taker.symbol].base_asset)
        return min(base, floor_to(held, self.pairs[taker.symbol].lot))

    def _trade(self, taker: Order, maker: Order, base: Decimal, now_ms: int) -> None:
        symbol = taker.symbol
        trade = Trade(
            self._next_trade_id[symbol], symbol, maker.price, base, taker.side, now_ms
        )
        self._next_trade_id[symbol] += 1
        self.last[symbol] = maker.price
        self.books[symbol].reduce(maker, base)
        self._happened.trades.append(trade)
        is_private = taker.account != MAKERS or maker.account != MAKERS
        if is_private:
            for order in (taker, maker):
                self.wallets.pay(order, trade, self.pairs[symbol], self.fees.on_top)
        for order in (taker, maker):
            order.filled_base += base
            order.filled_quote += maker.price * base
            if is_private:
                self._fill(order, trade, is_maker=order is maker)
        if not maker.remaining:
            self._forget(maker)

    def _fill(self, order: Order, trade: Trade, *, is_maker: bool) -> None:
        """Give the trader what it bought, less the fee, and tell it."""
        pair = self.pairs[trade.symbol]
        rate = ZERO
        if order.account != MAKERS:
            rate = self.fees.maker if is_maker else self.fees.taker
        fee, asset = self.wallets.receive(
            order, trade, pair, rate, is_fee_in_quote=self.fees.is_in_quote
        )
        if order.account == MAKERS:
            return
        self._touch(order.account, pair.base_asset)
        self._touch(order.account, pair.quote_asset)
        fill = Fill(trade, order.order_id, order.side, is_maker, fee, asset)
        order.fills.append(fill)
        is_whole = not (
            self._wanted(order, trade.price) if order.quote else order.remaining
        )
        order.status = OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED
        order.updated_ms = trade.trade_ms
        self._report(Step.TRADE, order, trade.trade_ms, fill)

    def _end(self, order: Order, step: Step, status: OrderStatus, now_ms: int) -> None:
        order.status, order.updated_ms = status, now_ms
        if order.locked:
            pair = self.pairs[order.symbol]
            asset = pair.quote_asset if order.side is Side.BUY else pair.base_asset
            self.wallets.lock(order.account, asset, -order.locked)
            order.locked = ZERO
            self._touch(order.account, asset)
        self._forget(order)
        self._report(step, order, now_ms)

    def _forget(self, order: Order) -> None:
        """Take an ended order off the list of open ones; its record stays."""
        if order.account != MAKERS:
            self._open.pop((order.account, order.client_order_id), None)

    def _fire_stops(self, symbol: str, now_ms: int) -> None:
        parked = self._parked[symbol]
        while parked:
            last = self.last[symbol]
            hit = next((o for o in parked.values() if is_triggered(o, last)), None)
            if hit is None:
                return
            del parked[hit.order_id]
            self._work(hit, Step.TRIGGERED, now_ms)

    def _touch(self, account: str, asset: str) -> None:
        self._happened.touched.setdefault(account, {})[asset] = None

    def _report(
        self, step: Step, order: Order, now_ms: int, fill: Fill | None = None
    ) -> None:
        if order.account == MAKERS:
            return
        report = Report(
            step,
            order,
            order.status,
            order.filled_base,
            order.filled_quote,
            order.working_ms >= 0 and order.is_open,
            now_ms,
            fill,
        )
        self._happened.reports.append(report)
