"""Kraken's REST door: /0/public and /0/private, refusals inside HTTP 200.

Source: "Spot REST Introduction", "Spot REST Rate Limits", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import msgspec
import trio

from adapters.simulator import kraken_amend as amendment
from adapters.simulator import kraken_batch as batch
from adapters.simulator import kraken_private as private
from adapters.simulator import kraken_public as public
from adapters.simulator.http_server import HttpAnswer, HttpRequest
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_dialect import KrakenDialect
from adapters.simulator.kraken_faults import TOO_FAST, UNKNOWN_METHOD, Refused
from adapters.simulator.kraken_params import Params, read

_GATEWAY: Final = b"<html><head><title>502 Bad Gateway</title></head></html>"

Public = Callable[[Desk, Params], object]
Private = Callable[[Desk, str, Params], object]

PUBLIC: Final[dict[str, Public]] = {
    "Time": public.server_time,
    "SystemStatus": public.system_status,
    "Assets": public.assets,
    "AssetPairs": public.asset_pairs,
    "Ticker": public.ticker,
    "OHLC": public.candles,
    "Depth": public.depth,
    "Trades": public.trades,
}


@attrs.frozen
class Call:
    """One private call. `is_order` marks those whose acknowledgement faults may take."""

    answer: Private
    cost: int = 1
    is_order: bool = False


PRIVATE: Final[dict[str, Call]] = {
    "AddOrder": Call(private.add_order, 0, is_order=True),
    "AmendOrder": Call(amendment.amend_order, 0, is_order=True),
    "CancelOrder": Call(private.cancel_order, 0, is_order=True),
    "AddOrderBatch": Call(batch.add_order_batch, 0, is_order=True),
    "CancelOrderBatch": Call(batch.cancel_order_batch, 0, is_order=True),
    "CancelAll": Call(private.cancel_all, is_order=True),
    "CancelAllOrdersAfter": Call(private.cancel_all_after),
    "OpenOrders": Call(private.open_orders),
    "ClosedOrders": Call(private.closed_orders),
    "QueryOrders": Call(private.query_orders),
    "TradesHistory": Call(private.trades_history, 2),
    "QueryTrades": Call(private.query_trades),
    "Balance": Call(private.balance),
    "BalanceEx": Call(private.extended_balance),
    "TradeVolume": Call(private.trade_volume),
}
TOKEN: Final = "GetWebSocketsToken"  # noqa: S105 -- the name of a call
KNOWN_PRIVATE: Final = frozenset({*PRIVATE, TOKEN})


class KrakenRest:
    """Answers one request at a time; knows nothing of sockets."""

    def __init__(self, dialect: KrakenDialect) -> None:
        self._dialect = dialect

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer; None means that the connection is cut without one."""
        await trio.lowlevel.checkpoint()
        _, _, rest = request.path.partition("/0/")
        door, _, name = rest.partition("/")
        call = PRIVATE.get(name) if door == "private" else None
        try:
            self._dialect.refuse_by_fault("rest", request.host)
            result = self._perform(request, door, name)
        except Refused as refused:
            return _answer({"error": [str(refused)]})
        answer = _answer({"error": [], "result": result})
        if call is None or not call.is_order:
            return answer
        late = self._dialect.exchange.faults.strike("late_ack", "rest")
        troubled = self._trouble(answer)
        if late is not None:
            await trio.sleep(late.delay_s)
        return troubled

    def _perform(self, request: HttpRequest, door: str, name: str) -> object:
        """Do what is asked, tell everybody what happened, and return the result."""
        exchange, desk = self._dialect.exchange, self._dialect.desk
        is_public = door == "public" and name in PUBLIC
        is_private = door == "private" and name in KNOWN_PRIVATE
        if not is_public and not (is_private and request.method == "POST"):
            raise Refused(UNKNOWN_METHOD)
        exchange.requests[name] = exchange.requests.get(name, 0) + 1
        params = read(request)
        if is_public:
            limits = desk.limits
            self._charge("public", request.host, 1, limits.public_1s, limits.public_max)
            return PUBLIC[name](desk, params)
        account = self._dialect.keys.account_of(request, params)
        call = PRIVATE.get(name)
        cost = 1 if call is None else call.cost
        key = request.headers.get("api-key", "")
        self._charge("calls", key, cost, desk.limits.calls_1s, desk.limits.calls_max)
        if call is None:
            token = self._dialect.keys.issue(account)
            return {"token": token, "expires": desk.limits.token_s}
        try:
            return call.answer(desk, account, params)
        finally:
            self._dialect.flush()

    def _charge(
        self, counter: str, whose: str, cost: int, down_1s: float, most: float
    ) -> None:
        now_ms = self._dialect.exchange.now_ms()
        counters = self._dialect.desk.counters
        if not counters.add((counter, whose), cost, down_1s, most, now_ms):
            raise Refused(TOO_FAST)

    def _trouble(self, answer: HttpAnswer) -> HttpAnswer | None:
        """Return what becomes of the acknowledgement of an order that was taken."""
        faults = self._dialect.exchange.faults
        if faults.strike("lost_ack", "rest"):
            return None
        if faults.strike("server_error", "rest"):
            return HttpAnswer(502, _GATEWAY, (), "text/html")
        return answer


def _answer(body: object) -> HttpAnswer:
    return HttpAnswer(200, msgspec.json.encode(body))
