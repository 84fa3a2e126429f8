"""The venue as Coinbase's clients know it: one exchange behind three doors.

Exchange's feed and REST, and Advanced Trade's REST and WebSocket, trade on the same books.
"""

from __future__ import annotations

from decimal import Decimal

import trio

from actors.pure.matching_book import Changes
from actors.pure.matching_orders import ZERO
from actors.pure.matching_wallets import Holding
from adapters.simulator.coinbase_advanced_feed import AdvancedFeed
from adapters.simulator.coinbase_feed import Feed
from adapters.simulator.coinbase_limits import Buckets
from adapters.simulator.coinbase_orders import ENDED_BY_TIME
from adapters.simulator.coinbase_products import assets
from adapters.simulator.coinbase_texts import product_id
from adapters.simulator.exchange import Exchange, Ware
from adapters.simulator.order_store import AccountFill

BEATS_1S = 10


class CoinbaseDialect:
    """One venue over one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.products = {product_id(it.listing): it for it in exchange.wares.values()}
        self.buckets = Buckets()
        self.ends: dict[int, int] = {}  # order id -> when its time is up
        self.feed = Feed(exchange)
        self.advanced = AdvancedFeed(exchange, self.ends)
        self.hurried = trio.Event()  # a new reader of what comes every 100 ms sets it
        self._unnamed = 0

    def hurry(self) -> None:
        """Let the next beat come at once, for who has just subscribed."""
        self.hurried.set()
        self.hurried = trio.Event()

    def flush(self) -> None:
        """Tell the clients whatever has happened since the last call."""
        news = self.exchange.news()
        self.feed.tell(news)
        self.advanced.tell(news)
        now_ms = self.exchange.now_ms()
        for ware in self.exchange.wares.values():
            if ware.fast.first_id <= ware.book.update_id:
                self.feed.book("level2", ware, ware.fast, now_ms)
                self.advanced.book(ware, ware.fast, now_ms)
                _clear(ware.fast, ware)

    def step(self, dt_s: float) -> None:
        """Let the synthetic markets move on by one step."""
        self.exchange.step(dt_s)
        self.flush()

    def beats_until_due(self, number: int) -> int:
        """Return how many beats after beat `number` there is something to do."""
        return 1 if self.feed.is_hurried else BEATS_1S - number % BEATS_1S

    def beat(self, now_ms: int, number: int) -> None:
        """Do what comes by the clock: batches, heartbeats, and the ends of orders."""
        self.exchange.roll(now_ms)
        for ware in self.exchange.wares.values():
            if ware.slow.first_id <= ware.book.update_id:
                self.feed.book("level2_batch", ware, ware.slow, now_ms)
                _clear(ware.slow, ware)
        self.feed.beat(now_ms, number)
        if number % BEATS_1S == 0:
            self._end_orders(now_ms)
            self.advanced.beat(now_ms, number)

    def next_unnamed(self) -> int:
        """Return a number for an order without a client id."""
        self._unnamed += 1
        return self._unnamed

    def count_asked(self, account: str, client_id: str) -> None:
        """Remember, for the truth, that an order was asked for under this client id."""
        if client_id:
            asked = self.exchange.asked
            asked[account, client_id] = asked.get((account, client_id), 0) + 1

    def fills_of(self, account: str) -> list[AccountFill]:
        """Return every fill of an account, oldest first."""
        return self.exchange.store.fills(account)

    def traded_quote(self, account: str) -> Decimal:
        found = [it.fill.trade for it in self.fills_of(account)]
        return sum((trade.price * trade.base for trade in found), ZERO)

    def holdings(self, account: str) -> list[tuple[str, Holding]]:
        """Return what an account holds of everything that is traded, zeros included."""
        wallets = self.exchange.engine.wallets
        held = wallets.holdings.get(account, {})
        names = dict.fromkeys([*assets(self.exchange), *held])
        return [(asset, held.get(asset) or Holding()) for asset in names]

    def ware_of(self, product: str) -> Ware | None:
        return self.products.get(product)

    def _end_orders(self, now_ms: int) -> None:
        """Cancel the orders whose time is up."""
        for order_id, end_ms in list(self.ends.items()):
            order = self.exchange.engine.orders[order_id]
            if order.is_open and end_ms <= now_ms:
                self.exchange.cancel(order, ENDED_BY_TIME)
        self.flush()


def _clear(changes: Changes, ware: Ware) -> None:
    changes.first_id = ware.book.update_id + 1
    changes.bids.clear()
    changes.asks.clear()
