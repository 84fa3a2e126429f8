"""Advanced Trade's edit of a resting limit order: another size, another price, or both.

Source: docs.cdp.coinbase.com "Edit Order", 2026.
"""

from __future__ import annotations

from actors.pure.matching_orders import Kind, Lasting, Order
from adapters.simulator.coinbase_asked import Asked
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_orders import breach
from adapters.simulator.coinbase_texts import order_number, order_uuid

EDITABLE = frozenset({Kind.LIMIT, Kind.LIMIT_MAKER})


class _NotEdited(Exception):
    """Why an order stays as it is, by the venue's word for it."""


def edit(venue: CoinbaseDialect, asked: Asked) -> object:
    """Edit an order; a refusal is inside an answer of status 200."""
    try:
        found = _edit(venue, asked)
    except _NotEdited as refused:
        failure = {
            "edit_failure_reason": str(refused),
            "preview_failure_reason": "UNKNOWN_PREVIEW_FAILURE_REASON",
        }
        return {"success": False, "errors": [failure]}
    return {
        "success": True,
        "success_response": {"order_id": order_uuid(found.order_id)},
        "errors": [],
    }


def _edit(venue: CoinbaseDialect, asked: Asked) -> Order:
    exchange = venue.exchange
    found = exchange.engine.orders.get(order_number(asked.text("order_id")) or 0)
    if found is None or found.account != asked.account or not found.is_open:
        raise _NotEdited("ORDER_NOT_FOUND")
    if found.kind not in EDITABLE or found.lasting is not Lasting.GTC:
        raise _NotEdited("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
    base = asked.number("size") if asked.maybe("size") else found.base
    price = asked.number("price") if asked.maybe("price") else found.price
    ware = exchange.wares[found.symbol]
    if base <= found.filled_base:
        raise _NotEdited("CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
    broken = breach(ware, found.kind, base, base - base, (price,))
    if broken:
        wrong = "PRICE" if broken.startswith("price") else "SIZE"
        raise _NotEdited(f"INVALID_EDITED_{wrong}")
    would_take = ware.book.against(found.side).crosses(price)
    if found.kind is Kind.LIMIT_MAKER and would_take:
        raise _NotEdited("INVALID_EDITED_PRICE")
    if not exchange.engine.amend(found, base, price, exchange.now_ms()):
        raise _NotEdited("COMMANDER_REJECTED_EDIT_ORDER")
    return found
