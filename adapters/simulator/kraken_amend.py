"""Another size or price for an order that rests: it keeps its ids and loses its place.

Source: "Amend Order" of REST and of the WebSocket, "Spot Trading Rate Limits", 2026-05-27.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from actors.pure.matching_orders import Kind, Lasting, Rejection
from adapters.simulator.kraken_asked import known, number
from adapters.simulator.kraken_conversation import Asked
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_faults import REJECTIONS, UNKNOWN_ORDER, Refused, invalid
from adapters.simulator.kraken_papers import Paper, amend_id_of
from adapters.simulator.kraken_params import Params
from adapters.simulator.kraken_rules import Wanted, check, check_deadline

AMENDABLE: Final = frozenset({Kind.LIMIT, Kind.LIMIT_MAKER})
FIELDS: Final = (
    "order_id", "cl_ord_id", "order_qty", "limit_price", "limit_price_type", "post_only",
    "deadline", "symbol",
)  # fmt: skip


@attrs.frozen
class Amendment:
    """What a client wants changed; None stays as it is."""

    paper: Paper
    base: Decimal | None
    price: Decimal | None
    is_post: bool


def amend_order(desk: Desk, account: str, params: Params) -> object:
    """Answer REST's AmendOrder."""
    check_deadline(params.maybe("deadline"), desk.exchange.told_ms())
    amendment = Amendment(
        paper=_found(desk, account, params.maybe("cl_ord_id"), params.maybe("txid")),
        base=params.number("order_qty") if "order_qty" in params else None,
        price=params.number("limit_price") if "limit_price" in params else None,
        is_post=params.is_true("post_only"),
    )
    return {"amend_id": amend(desk, amendment)}


def asked_amendment(desk: Desk, account: str, asked: Asked) -> Amendment:
    """Return what the WebSocket's amend_order asks for."""
    known(asked, *FIELDS)
    params, now_ms = asked.params, desk.exchange.told_ms()
    deadline = params.get("deadline")
    check_deadline(None if deadline is None else str(deadline), now_ms)
    names = (params.get("cl_ord_id"), params.get("order_id"))
    cl_ord_id, txid = (None if it is None else str(it) for it in names)
    return Amendment(
        paper=_found(desk, account, cl_ord_id, txid),
        base=number(asked, "order_qty") if "order_qty" in params else None,
        price=number(asked, "limit_price") if "limit_price" in params else None,
        is_post=params.get("post_only") is True,
    )


def amend(desk: Desk, amendment: Amendment) -> str:
    """Carry an amendment out and return its id.

    Raises:
      Refused: the order cannot be changed so; it stays as it was.
    """
    paper = amendment.paper
    order, exchange = paper.order, desk.exchange
    if order.kind not in AMENDABLE or order.lasting is not Lasting.GTC:
        raise invalid("order_type")
    base = order.base if amendment.base is None else amendment.base
    price = order.price if amendment.price is None else amendment.price
    if (base, price) == (order.base, order.price) or base <= order.filled_base:
        raise invalid("order_qty")
    ware = exchange.wares[order.symbol]
    check(Wanted(ware, order.side, order.kind, base, price=price))
    is_post = amendment.is_post or order.kind is Kind.LIMIT_MAKER
    if is_post and ware.book.against(order.side).crosses(price):
        raise Refused(REJECTIONS[Rejection.WOULD_MATCH])
    desk.charge_amendment(order)
    if not exchange.engine.amend(order, base, price, exchange.now_ms()):
        raise Refused(REJECTIONS[Rejection.INSUFFICIENT_BALANCE])
    paper.amendments += 1
    return amend_id_of(paper)


def _found(desk: Desk, account: str, cl_ord_id: str | None, txid: str | None) -> Paper:
    """Return the open order that one of its ids names."""
    for paper in desk.open_papers(account):
        is_named = paper.cl_ord_id == cl_ord_id if cl_ord_id else paper.txid == txid
        if is_named:
            return paper
    raise Refused(UNKNOWN_ORDER)
