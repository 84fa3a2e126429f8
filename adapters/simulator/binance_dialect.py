"""What both of Binance's doors share: who may ask, what it costs, who hears the news."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Final

import attrs
import msgspec
import trio

from adapters.simulator import binance_bodies as bodies
from adapters.simulator.binance_endpoints import REFUSED_ORDER_WEIGHT, Endpoint
from adapters.simulator.binance_faults import (
    BAD_KEY,
    BAD_KEY_FORMAT,
    BAD_SIGNATURE,
    TOO_EARLY,
    TOO_LATE,
    Refused,
    illegal,
    missing,
    over_weight,
)
from adapters.simulator.binance_params import Params
from adapters.simulator.binance_publisher import Publisher
from adapters.simulator.exchange import Exchange, News
from adapters.simulator.faults import Connection
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import frame

WINDOW_MS: Final = 5_000
WINDOW_MAX_MS: Final = 60_000
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_WINDOW: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,3})?", re.ASCII)


@attrs.frozen(eq=False)
class UserSubscription:
    """One subscription of one account's private events."""

    outbox: Outbox
    account: str
    number: int  # within its connection


class BinanceDialect:
    """The venue as Binance's clients know it, over one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.publisher = Publisher(exchange)
        self._users: dict[str, dict[UserSubscription, None]] = {}
        self._execution_id = 0

    @property
    def hurried(self) -> trio.Event:
        return self.publisher.hurried

    def perform(
        self, endpoint: Endpoint, params: Params, account: str, address: str
    ) -> object:
        """Do what is asked, tell everybody what happened, and return the answer.

        Raises:
          Refused: not asked properly, or not allowed.
        """
        exchange = self.exchange
        exchange.requests[endpoint.name] = exchange.requests.get(endpoint.name, 0) + 1
        params.only(endpoint.known)
        self.charge(address, endpoint.weight(params))
        if endpoint.private is None:
            return endpoint.public(exchange, params) if endpoint.public else {}
        try:
            return endpoint.private(exchange, account, params)
        except Refused:
            if endpoint.is_order:
                self.charge(address, REFUSED_ORDER_WEIGHT)
            raise
        finally:
            self.flush()

    def charge(self, address: str, weight: int) -> None:
        """Count the weight of a request; refuse what is too much."""
        exchange = self.exchange
        over = exchange.limits.charge(address, weight, exchange.now_ms())
        if over is not None:
            exchange.limits.forbid(address, over.until_ms, exchange.now_ms())
            limit = exchange.limits.limits.weight_1m
            raise over_weight(over.status, over.until_ms, limit)

    def refuse_by_fault(self, connection: Connection, address: str) -> None:
        """Refuse anything while the script says that the venue is limiting."""
        exchange = self.exchange
        exchange.limits.arrive(address, exchange.now_ms())
        limit = exchange.limits.limits.weight_1m
        for kind, status in (("rate_limit", 429), ("ban", 418)):
            fault = exchange.faults.strike(kind, connection)  # pyright: ignore[reportArgumentType] -- both are kinds
            if fault is not None:
                until_ms = exchange.now_ms() + int(fault.delay_s * 1000)
                exchange.limits.forbid(address, until_ms, exchange.now_ms())
                raise over_weight(status, until_ms, limit)

    def account_of(self, key: str | None, payload: str, signature: str) -> str:
        """Return whose key signed `payload`.

        Raises:
          Refused: nobody's, or the signature is wrong.
        """
        if not key or not _KEY.fullmatch(key):
            raise Refused(*BAD_KEY_FORMAT, status=401)
        found = self.exchange.keys.get(key)
        if found is None:
            raise Refused(*BAD_KEY, status=401)
        expected = hmac.digest(found.secret.encode(), payload.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise Refused(*BAD_SIGNATURE)
        return found.name

    def check_time(self, params: Params) -> None:
        """Refuse a request that was signed too long ago, or in the future."""
        window = params.maybe("recvWindow")
        if window is not None and not _WINDOW.fullmatch(window):
            raise illegal("recvWindow", "^[0-9]{1,8}(\\.[0-9]{1,3})?$")
        window_ms = WINDOW_MS if window is None else float(window)
        if window_ms > WINDOW_MAX_MS:
            raise Refused(-1131, "recvWindow must be less than 60000.")
        sent = params.whole("timestamp")
        if sent is None:
            raise missing("timestamp")
        sent_ms = sent / 1000 if sent >= 10**15 else sent  # microseconds are allowed
        now_ms = self.exchange.told_ms()
        if sent_ms >= now_ms + 1000:
            raise Refused(*TOO_EARLY)
        if now_ms - sent_ms > window_ms:
            raise Refused(*TOO_LATE)

    def flush(self) -> None:
        """Tell the clients whatever has happened since the last call."""
        news = self.exchange.news()
        if not self.exchange.config.replay:
            self.publisher.tell(news)
            for symbol in self.exchange.wares:
                self.publisher.top(symbol)
        self._tell_users(news)

    def step(self, dt_s: float) -> None:
        """Let the synthetic markets move on by one step."""
        self.exchange.step(dt_s)
        self.flush()
        if not self.exchange.config.ticker_ms:
            for symbol in self.exchange.wares:
                self.publisher.ticker(symbol, self.exchange.now_ms())

    def beats_until_due(self, number: int) -> int:
        """Return how many beats after beat `number` there is something to publish."""
        if self.publisher.is_hurried or self.exchange.config.ticker_ms % 1000:
            return 1
        return 10 - number % 10

    def beat(self, now_ms: int, number: int) -> None:
        """Publish what comes by the clock: every 100 ms, or every second."""
        publisher, exchange = self.publisher, self.exchange
        for symbol, timeframe, bar in exchange.roll(now_ms):
            publisher.kline(symbol, timeframe, bar)
        is_flooded = exchange.config.flood_frames_per_s is not None
        ticker_beats = 0 if is_flooded else -(-exchange.config.ticker_ms // 100)
        for symbol in exchange.wares:
            publisher.depth(symbol, now_ms, is_fast=True)
            publisher.klines(symbol, now_ms)
            if number % 10 == 0:
                publisher.depth(symbol, now_ms, is_fast=False)
            if ticker_beats and number % ticker_beats == 0:
                publisher.ticker(symbol, now_ms)

    def join(self, subscription: UserSubscription) -> None:
        self._users.setdefault(subscription.account, {})[subscription] = None

    def leave(self, subscription: UserSubscription) -> None:
        self._users.get(subscription.account, {}).pop(subscription, None)

    def is_joined(self, outbox: Outbox, account: str) -> bool:
        return any(it.outbox is outbox for it in self._users.get(account, ()))

    def _tell_users(self, news: News) -> None:
        for report in news.happened.reports:
            self._execution_id += 1
            account = report.order.account
            if self._users.get(account):
                event = bodies.execution_report(report, self._execution_id)
                ware = self.exchange.wares[report.order.symbol]
                self.tell_user(account, event, ware.listing.symbol)
        for account, assets in news.happened.touched.items():
            if self._users.get(account):
                holdings = self.exchange.engine.wallets.holdings[account]
                rows = [(asset, holdings[asset]) for asset in assets if asset in holdings]
                event = bodies.position(rows, self.exchange.now_ms())
                self.tell_user(account, event, "")

    def tell_user(self, account: str, event: Mapping[str, object], symbol: str) -> None:
        """Send a private event to every connection that subscribed to the account."""
        text = msgspec.json.encode(event)
        for it in self._users.get(account, ()):
            head = b'{"subscriptionId":%d,"event":' % it.number
            it.outbox.post(frame(head + text + b"}"), symbol)
