"""Which requests Binance takes, by REST and by WS-API, and what each costs.

Source: rest-api.md and web-socket-api.md, 2026-07-21; orders weigh nothing since
2026-04-02 unless they are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from adapters.simulator import binance_private as private
from adapters.simulator import binance_public as public
from adapters.simulator import binance_replace as replacing
from adapters.simulator.binance_params import Params
from adapters.simulator.binance_rules import NEW_ORDER
from adapters.simulator.exchange import Exchange

SIGNED: Final = frozenset({"timestamp", "recvWindow", "signature"})
REFUSED_ORDER_WEIGHT: Final = 1

Public = Callable[[Exchange, Params], object]
Private = Callable[[Exchange, str, Params], object]


@attrs.frozen
class Endpoint:
    """One request. `is_order` marks those whose acknowledgement faults may take."""

    name: str
    known: frozenset[str]
    weight: Callable[[Params], int]
    public: Public | None = None
    private: Private | None = None
    is_order: bool = False
    counts_orders: bool = False


def _open(answer: Public, weight: int | Callable[[Params], int], *known: str) -> Endpoint:
    return Endpoint(answer.__name__, frozenset(known), _weight(weight), public=answer)


def _signed(
    answer: Private, weight: int | Callable[[Params], int], *known: str
) -> Endpoint:
    names = frozenset(known) | SIGNED
    return Endpoint(answer.__name__, names, _weight(weight), private=answer)


def _order(answer: Private, *known: str, counts_orders: bool = False) -> Endpoint:
    return Endpoint(
        answer.__name__,
        frozenset(known) | SIGNED,
        _weight(0),
        private=answer,
        is_order=True,
        counts_orders=counts_orders,
    )


def _weight(weight: int | Callable[[Params], int]) -> Callable[[Params], int]:
    return weight if callable(weight) else lambda _params: weight


def _open_weight(params: Params) -> int:
    return 6 if "symbol" in params else 80


def _trades_weight(params: Params) -> int:
    return 5 if "orderId" in params else 20


_PING = _open(public.ping, 1)
_TIME = _open(public.server_time, 1)
_INFO = _open(
    public.exchange_info, 20, "symbol", "symbols", "permissions", "symbolStatus",
    "showPermissionSets",
)  # fmt: skip
_DEPTH = _open(public.depth, public.depth_weight, "symbol", "limit", "symbolStatus")
_KLINES = _open(
    public.klines, 2, "symbol", "interval", "startTime", "endTime", "timeZone", "limit"
)
_TRADES = _open(public.trades, 25, "symbol", "limit")
_AGGREGATES = _open(
    public.aggregate_trades, 4, "symbol", "fromId", "startTime", "endTime", "limit"
)
_AVERAGE = _open(public.average_price, 2, "symbol")
_DAY = _open(public.day_ticker, public.day_weight, "symbol", "symbols", "type")
_PRICE = _open(public.price_ticker, public.price_weight, "symbol", "symbols")
_BOOK = _open(public.book_ticker, public.price_weight, "symbol", "symbols")
_ACCOUNT = _signed(private.account_status, 20, "omitZeroBalances")
_PLACE = _order(private.place, *NEW_ORDER, counts_orders=True)
_TEST = _signed(private.test_place, 1, *NEW_ORDER, "computeCommissionRates")
_QUERY = _signed(private.query, 4, "symbol", "orderId", "origClientOrderId")
_CANCEL = _order(
    private.cancel, "symbol", "orderId", "origClientOrderId", "newClientOrderId",
    "cancelRestrictions",
)  # fmt: skip
_REPLACE = _order(replacing.replace, *replacing.REPLACE, counts_orders=True)
_OPEN = _signed(private.open_orders, _open_weight, "symbol")
_CANCEL_ALL = _order(private.cancel_all, "symbol")
_ALL = _signed(private.all_orders, 20, "symbol", "orderId", "startTime", "endTime", "limit")
_MY_TRADES = _signed(
    private.my_trades, _trades_weight, "symbol", "orderId", "startTime", "endTime",
    "fromId", "limit",
)  # fmt: skip

REST: Final[dict[str, dict[str, Endpoint]]] = {
    "/api/v3/ping": {"GET": _PING},
    "/api/v3/time": {"GET": _TIME},
    "/api/v3/exchangeInfo": {"GET": _INFO},
    "/api/v3/depth": {"GET": _DEPTH},
    "/api/v3/klines": {"GET": _KLINES},
    "/api/v3/uiKlines": {"GET": _KLINES},
    "/api/v3/trades": {"GET": _TRADES},
    "/api/v3/aggTrades": {"GET": _AGGREGATES},
    "/api/v3/avgPrice": {"GET": _AVERAGE},
    "/api/v3/ticker/24hr": {"GET": _DAY},
    "/api/v3/ticker/price": {"GET": _PRICE},
    "/api/v3/ticker/bookTicker": {"GET": _BOOK},
    "/api/v3/account": {"GET": _ACCOUNT},
    "/api/v3/order": {"POST": _PLACE, "GET": _QUERY, "DELETE": _CANCEL},
    "/api/v3/order/test": {"POST": _TEST},
    "/api/v3/order/cancelReplace": {"POST": _REPLACE},
    "/api/v3/openOrders": {"GET": _OPEN, "DELETE": _CANCEL_ALL},
    "/api/v3/allOrders": {"GET": _ALL},
    "/api/v3/myTrades": {"GET": _MY_TRADES},
}
WS_API: Final[dict[str, Endpoint]] = {
    "ping": _PING,
    "time": _TIME,
    "exchangeInfo": _INFO,
    "depth": _DEPTH,
    "klines": _KLINES,
    "trades.recent": _TRADES,
    "trades.aggregate": _AGGREGATES,
    "avgPrice": _AVERAGE,
    "ticker.24hr": _DAY,
    "ticker.price": _PRICE,
    "ticker.book": _BOOK,
    "account.status": _ACCOUNT,
    "order.place": _PLACE,
    "order.test": _TEST,
    "order.status": _QUERY,
    "order.cancel": _CANCEL,
    "order.cancelReplace": _REPLACE,
    "openOrders.status": _OPEN,
    "openOrders.cancelAll": _CANCEL_ALL,
    "allOrders": _ALL,
    "myTrades": _MY_TRADES,
}
