"""Binance's signed endpoints: orders, fills and balances of one account."""

from __future__ import annotations

from typing import Final, TypeVar

import attrs

from actors.messages import OrderStatus
from actors.pure.matching_orders import NewOrder, Order, Rejection
from adapters.simulator import binance_bodies as bodies
from adapters.simulator.binance_faults import (
    BAD_RESTRICTIONS,
    NEITHER_ID,
    NO_SUCH_ORDER,
    REJECTIONS,
    RESTRICTED,
    UNKNOWN_CANCEL,
    Refused,
    over_orders,
)
from adapters.simulator.binance_params import Params
from adapters.simulator.binance_rules import client_order_id, new_order
from adapters.simulator.exchange import Exchange
from adapters.simulator.timeframes import DAY_MS

PAGE: Final = 500
PAGE_MAX: Final = 1000
_NEW, _PARTLY = OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED
_RESTRICTIONS: Final = {
    None: frozenset({_NEW, _PARTLY}),
    "ONLY_NEW": frozenset({_NEW}),
    "ONLY_PARTIALLY_FILLED": frozenset({_PARTLY}),
}
T = TypeVar("T")


@attrs.frozen
class IdNames:
    """How one endpoint calls the two ids of an order, and what it says to neither."""

    order_id: str
    client_id: str
    neither: tuple[int, str]


IDS: Final = IdNames("orderId", "origClientOrderId", NEITHER_ID)


def place(exchange: Exchange, account: str, params: Params) -> object:
    count_asked(exchange, account, params)
    new, response = new_order(exchange, account, params)
    check_order_count(exchange, account)
    return take(exchange, new, response)


def count_asked(exchange: Exchange, account: str, params: Params) -> None:
    """Remember, for the truth, that an order was asked for under this client id."""
    asked = params.maybe("newClientOrderId")
    if asked is not None:
        key = (account, asked)
        exchange.asked[key] = exchange.asked.get(key, 0) + 1


def check_order_count(exchange: Exchange, account: str) -> None:
    """Refuse a new order of an account that has too many unfilled ones."""
    now_ms = exchange.now_ms()
    over = exchange.limits.over_orders(account, now_ms)
    if over is not None:
        limit, window_s = over
        until_ms = (now_ms // (window_s * 1000) + 1) * window_s * 1000
        raise over_orders(limit, window_s, until_ms)


def take(exchange: Exchange, new: NewOrder, response: str) -> bodies.Body:
    """Let the matching engine take an order that passed every check before it."""
    result = exchange.place(new)
    if isinstance(result, Rejection):
        raise Refused(-2010, REJECTIONS[result])
    return bodies.placed(result, response)


def test_place(exchange: Exchange, account: str, params: Params) -> object:
    new, _ = new_order(exchange, account, params)
    rejection = exchange.engine.judge(new)
    if rejection is Rejection.DUPLICATE:
        raise Refused(-2010, REJECTIONS[rejection])
    return {}


def query(exchange: Exchange, account: str, params: Params) -> object:
    found = find(exchange, account, params)
    order = None if found is None else exchange.store.seen(found)
    if order is None:
        raise Refused(*NO_SUCH_ORDER)
    return bodies.queried(order)


def cancel(exchange: Exchange, account: str, params: Params) -> object:
    cancel_id = client_order_id(exchange, params, "newClientOrderId")
    allowed = cancelable(params)
    order = find(exchange, account, params)
    return give_up(exchange, order, cancel_id, allowed)


def cancelable(params: Params) -> frozenset[OrderStatus]:
    """Return the states that `cancelRestrictions` lets an order be cancelled in."""
    restrictions = params.maybe("cancelRestrictions")
    if restrictions not in _RESTRICTIONS:
        raise Refused(*BAD_RESTRICTIONS)
    return _RESTRICTIONS[restrictions]


def give_up(
    exchange: Exchange,
    order: Order | None,
    cancel_id: str,
    allowed: frozenset[OrderStatus],
) -> bodies.Body:
    """Cancel an order that was found open and may be cancelled as it is."""
    if order is None or not order.is_open:
        raise Refused(*UNKNOWN_CANCEL)
    if order.status not in allowed:
        raise Refused(*RESTRICTED)
    exchange.cancel(order, cancel_id)
    return bodies.canceled(order)


def open_orders(exchange: Exchange, account: str, params: Params) -> object:
    ware = params.maybe_ware(exchange)
    symbol = None if ware is None else ware.listing.venue_symbol
    return [bodies.queried(it) for it in exchange.store.open_orders(account, symbol)]


def cancel_all(exchange: Exchange, account: str, params: Params) -> object:
    symbol = params.ware(exchange).listing.venue_symbol
    found = exchange.engine.open_orders(account, symbol)
    if not found:
        raise Refused(*UNKNOWN_CANCEL)
    for order in found:
        exchange.cancel(order, client_order_id(exchange, Params({}), "newClientOrderId"))
    return [bodies.canceled(order) for order in found]


def all_orders(exchange: Exchange, account: str, params: Params) -> object:
    symbol, limit = params.ware(exchange).listing.venue_symbol, params.limit(PAGE, PAGE_MAX)
    start_ms, end_ms = _span(params)
    from_id = params.whole("orderId")
    found = [
        order
        for order in exchange.store.orders(account)
        if order.symbol == symbol
        and start_ms <= order.created_ms <= end_ms
        and order.order_id >= (from_id or 0)
    ]
    is_from_start = from_id is not None or "startTime" in params
    return [bodies.queried(it) for it in _page(found, limit, is_from_start=is_from_start)]


def my_trades(exchange: Exchange, account: str, params: Params) -> object:
    symbol, limit = params.ware(exchange).listing.venue_symbol, params.limit(PAGE, PAGE_MAX)
    start_ms, end_ms = _span(params)
    order_id, from_id = params.whole("orderId"), params.whole("fromId")
    if from_id is not None and ("startTime" in params or "endTime" in params):
        raise Refused(-1128, "Combination of optional parameters invalid.")
    found = [
        it
        for it in exchange.store.fills_of(account, symbol)
        if start_ms <= it.fill.trade.trade_ms <= end_ms
        and it.fill.trade.trade_id >= (from_id or 0)
        and order_id in {None, it.fill.order_id}
    ]
    is_from_start = from_id is not None or "startTime" in params
    return [bodies.own_trade(it) for it in _page(found, limit, is_from_start=is_from_start)]


def account_status(exchange: Exchange, account: str, params: Params) -> object:
    omit_zero = params.maybe("omitZeroBalances") == "true"
    return bodies.account(exchange, account, omit_zero=omit_zero)


def find(
    exchange: Exchange, account: str, params: Params, names: IdNames = IDS
) -> Order | None:
    """Return the order that its id or its client id names; both must agree."""
    symbol = params.ware(exchange).listing.venue_symbol
    order_id, client_id = params.whole(names.order_id), params.maybe(names.client_id)
    if order_id is not None:
        order = exchange.engine.orders.get(order_id)
        if order is None or (order.account, order.symbol) != (account, symbol):
            return None
        return order if client_id in {None, order.client_order_id} else None
    if client_id is None:
        raise Refused(*names.neither)
    found = exchange.engine.by_client.get((account, client_id), [])
    return next((it for it in reversed(found) if it.symbol == symbol), None)


def _span(params: Params) -> tuple[int, int]:
    start_ms, end_ms = params.whole("startTime"), params.whole("endTime")
    if start_ms is not None and end_ms is not None and end_ms - start_ms > DAY_MS:
        raise Refused(-1127, "More than 24 hours between startTime and endTime.")
    if start_ms is not None and end_ms is None:
        end_ms = start_ms + DAY_MS
    return start_ms or 0, 2**63 if end_ms is None else end_ms


def _page(found: list[T], limit: int, *, is_from_start: bool) -> list[T]:
    return found[:limit] if is_from_start else found[-limit:]
