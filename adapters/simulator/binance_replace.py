"""Binance's cancel-and-replace: an order is cancelled, then another placed, in one request.

Not transactional: what was cancelled stays so when the new order is refused. Filters and
the count of orders are judged before anything is done.

Source: rest-api.md and web-socket-api.md, "Cancel and replace order", 2026-07-21.
"""

from __future__ import annotations

from typing import Final, Literal

from actors.pure.matching_orders import NewOrder
from adapters.simulator.binance_bodies import Body
from adapters.simulator.binance_faults import (
    NEITHER_CANCEL_ID,
    HalfRefused,
    Refused,
)
from adapters.simulator.binance_params import Params
from adapters.simulator.binance_private import (
    IdNames,
    cancelable,
    check_order_count,
    count_asked,
    find,
    give_up,
    take,
)
from adapters.simulator.binance_rules import NEW_ORDER, client_order_id, new_order
from adapters.simulator.exchange import Exchange

REPLACE: Final = NEW_ORDER | {
    "cancelReplaceMode",
    "cancelOrderId",
    "cancelOrigClientOrderId",
    "cancelNewClientOrderId",
    "cancelRestrictions",
    "orderRateLimitExceededMode",
}
_IDS: Final = IdNames("cancelOrderId", "cancelOrigClientOrderId", NEITHER_CANCEL_ID)
_STOP, _ALLOW = "STOP_ON_FAILURE", "ALLOW_FAILURE"
_NOTHING, _CANCEL_ONLY = "DO_NOTHING", "CANCEL_ONLY"

Result = Literal["SUCCESS", "FAILURE", "NOT_ATTEMPTED"]
Half = tuple[Result, Body | None]  # and the answer to it, or the fault


def replace(exchange: Exchange, account: str, params: Params) -> object:
    count_asked(exchange, account, params)
    mode = _one_of(params, "cancelReplaceMode", params.text("cancelReplaceMode"))
    when_over = params.maybe("orderRateLimitExceededMode") or _NOTHING
    _one_of(params, "orderRateLimitExceededMode", when_over)
    cancel_id = client_order_id(exchange, params, "cancelNewClientOrderId")
    allowed = cancelable(params)
    order = find(exchange, account, params, _IDS)
    new, response = new_order(exchange, account, params)
    over = _over(exchange, account)
    if over is not None and when_over == _NOTHING:
        raise over
    cancelled: Half
    try:
        cancelled = "SUCCESS", give_up(exchange, order, cancel_id, allowed)
    except Refused as refused:
        cancelled = "FAILURE", _fault(refused)
    if cancelled[0] == "FAILURE" and mode == _STOP:
        exchange.limits.count_order(account, 1, exchange.now_ms())
        placed: Half = "NOT_ATTEMPTED", None
    else:
        placed = _place(exchange, new, response, over)
    return _answer(cancelled, placed)


def _place(exchange: Exchange, new: NewOrder, response: str, over: Refused | None) -> Half:
    if over is not None:
        return "FAILURE", _fault(over)
    try:
        return "SUCCESS", take(exchange, new, response)
    except Refused as refused:
        return "FAILURE", _fault(refused)


def _over(exchange: Exchange, account: str) -> Refused | None:
    try:
        check_order_count(exchange, account)
    except Refused as refused:
        return refused
    return None


def _answer(cancelled: Half, placed: Half) -> Body:
    body: Body = {
        "cancelResult": cancelled[0],
        "newOrderResult": placed[0],
        "cancelResponse": cancelled[1],
        "newOrderResponse": placed[1],
    }
    results = {cancelled[0], placed[0]}
    if results == {"SUCCESS"}:
        return body
    raise HalfRefused(body, has_effect="SUCCESS" in results)


def _fault(refused: Refused) -> Body:
    return {"code": refused.code, "msg": refused.text}


_VALUES: Final = {
    "cancelReplaceMode": (_STOP, _ALLOW),
    "orderRateLimitExceededMode": (_NOTHING, _CANCEL_ONLY),
}


def _one_of(params: Params, name: str, found: str) -> str:
    if found not in _VALUES[name]:
        raise Refused(-1130, f"Data sent for parameter '{name}' is not valid.")
    return found
