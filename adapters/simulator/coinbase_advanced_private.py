"""Advanced Trade's signed endpoints: orders, fills, accounts and fees of one portfolio.

Source: WIRE 3.12; docs.cdp.coinbase.com "Advanced Trade REST API", 2026.
"""

from __future__ import annotations

from typing import Final

from actors.pure.matching_orders import CONDITIONAL, Order, Rejection
from adapters.simulator import coinbase_advanced_bodies as bodies
from adapters.simulator.coinbase_advanced_rules import Wanted, wanted
from adapters.simulator.coinbase_asked import Asked
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_faults import (
    ADVANCED_REJECTED,
    AdvancedRefused,
    OrderRefused,
    invalid,
)
from adapters.simulator.coinbase_orders import fires_down
from adapters.simulator.coinbase_texts import (
    named_uuid,
    order_number,
    order_uuid,
    plain,
    product_id,
)

PAGE: Final = 100
PAGE_MAX: Final = 1000
ACCOUNTS: Final = 49
ACCOUNTS_MAX: Final = 250


def place(venue: CoinbaseDialect, asked: Asked) -> object:
    """Take an order. One whose client id is known already is answered, not placed anew."""
    client_id = asked.maybe("client_order_id")
    venue.count_asked(asked.account, client_id)
    known = venue.exchange.engine.by_client.get((asked.account, client_id))
    try:
        return _placed(venue, known[-1] if known else _place(venue, asked))
    except OrderRefused as refused:
        return {
            "success": False,
            "error_response": {
                "error": refused.error,
                "message": refused.message,
                "error_details": "",
                "preview_failure_reason": refused.preview,
                "new_order_failure_reason": refused.error,
            },
            "order_configuration": asked.body.get("order_configuration"),
        }


def preview(venue: CoinbaseDialect, asked: Asked) -> object:
    """Judge an order without placing it."""
    body = {**asked.body, "client_order_id": "preview"}
    errors: list[str] = []
    try:
        found = wanted(
            venue, Asked(asked.account, asked.parts, asked.query, body, asked.refuse)
        )
        rejection = venue.exchange.engine.judge(found.new)
        if rejection is not None:
            raise _rejected(rejection, found)
    except OrderRefused as refused:
        errors.append(refused.preview)
    return {"errs": errors, "warning": [], "preview_id": named_uuid("preview")}


def cancel(venue: CoinbaseDialect, asked: Asked) -> object:
    """Cancel the named orders, each for itself."""
    named = asked.body.get("order_ids")
    if not isinstance(named, list) or not named:
        raise invalid("order_ids are required")
    return {"results": [_cancel(venue, asked.account, str(it)) for it in named]}  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] -- whatever the client sent


def order(venue: CoinbaseDialect, asked: Asked) -> object:
    placed = _find(venue, asked.account, asked.parts[0])
    found = None if placed is None else venue.exchange.store.seen(placed)
    if found is None:
        text = "order with this orderID was not found"
        raise AdvancedRefused(404, "NOT_FOUND", text)
    return {"order": bodies.order(venue.exchange, found, venue.ends)}


def orders(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return orders, newest first, a page at a time."""
    statuses, products = asked.many("order_status"), asked.many("product_id", "product_ids")
    start_ms, end_ms = asked.time("start_date"), asked.time("end_date")
    ids, side, older = asked.many("order_ids"), asked.one("order_side"), _cursor(asked)
    limit = asked.limit(PAGE, PAGE_MAX)
    if "OPEN" in statuses and len(statuses) > 1:
        raise invalid("OPEN can not be listed with other statuses")
    found = [
        it
        for it in reversed(list(venue.exchange.store.orders(asked.account)))
        if (not statuses or bodies.status(it) in statuses)
        and (not products or _product_of(venue, it) in products)
        and (not ids or order_uuid(it.order_id) in ids)
        and side in {"", bodies.WORDS[it.side]}
        and (start_ms or 0) <= it.created_ms
        and (end_ms is None or it.created_ms < end_ms)
        and (older is None or it.order_id < older)
    ]
    page = found[:limit]
    has_next = len(found) > limit
    return {
        "orders": [bodies.order(venue.exchange, it, venue.ends) for it in page],
        "sequence": "0",
        "has_next": has_next,
        "cursor": str(page[-1].order_id) if has_next else "",
    }


def fills(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return fills, newest first, a page at a time."""
    ids = asked.many("order_id", "order_ids")
    products = asked.many("product_id", "product_ids")
    start_ms = asked.time("start_sequence_timestamp") or 0
    end_ms = asked.time("end_sequence_timestamp")
    skipped, limit = _cursor(asked) or 0, asked.limit(PAGE, PAGE_MAX)
    found = [
        it
        for it in reversed(venue.fills_of(asked.account))
        if (not ids or order_uuid(it.order.order_id) in ids)
        and (not products or _product_of(venue, it.order) in products)
        and start_ms <= it.fill.trade.trade_ms
        and (end_ms is None or it.fill.trade.trade_ms < end_ms)
    ]
    page = found[skipped : skipped + limit]
    has_next = len(found) > skipped + limit
    return {
        "fills": [bodies.fill(venue.exchange, it) for it in page],
        "cursor": str(skipped + limit) if has_next else "",
    }


def accounts(venue: CoinbaseDialect, asked: Asked) -> object:
    skipped, limit = _cursor(asked) or 0, asked.limit(ACCOUNTS, ACCOUNTS_MAX)
    now_ms, name = venue.exchange.now_ms(), asked.account
    rows = [bodies.account(name, *it, now_ms) for it in venue.holdings(name)]
    page = rows[skipped : skipped + limit]
    has_next = len(rows) > skipped + limit
    cursor = str(skipped + limit) if has_next else ""
    return {"accounts": page, "has_next": has_next, "cursor": cursor, "size": len(page)}


def account(venue: CoinbaseDialect, asked: Asked) -> object:
    now_ms, name = venue.exchange.now_ms(), asked.account
    for asset, held in venue.holdings(name):
        if named_uuid("account", name, asset) == asked.parts[0]:
            return {"account": bodies.account(name, asset, held, now_ms)}
    raise AdvancedRefused(404, "NOT_FOUND", "account not found")


def old_accounts(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return /v2/accounts: one wallet for each asset."""
    now_ms, name = venue.exchange.now_ms(), asked.account
    rows = [bodies.wallet(name, *it, now_ms) for it in venue.holdings(name)]
    return {"pagination": {"limit": 250, "order": "desc"}, "data": rows}


def summary(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return what the account traded and pays."""
    config = venue.exchange.config
    volume = float(venue.traded_quote(asked.account))
    paid = float(sum(it.fill.fee for it in venue.fills_of(asked.account)))
    return {
        "total_volume": volume,
        "total_fees": paid,
        "fee_tier": {
            "pricing_tier": "Advanced 1",
            "usd_from": "0",
            "usd_to": "1000",
            "taker_fee_rate": plain(config.taker_fee),
            "maker_fee_rate": plain(config.maker_fee),
            "aop_from": "",
            "aop_to": "",
        },
        "margin_rate": None,
        "goods_and_services_tax": None,
        "advanced_trade_only_volume": volume,
        "advanced_trade_only_fees": paid,
        "coinbase_pro_volume": 0,
        "coinbase_pro_fees": 0,
        "total_balance": "",
        "has_promo_fee": False,
    }


def permissions(_venue: CoinbaseDialect, asked: Asked) -> object:
    """Return what the key may do: trade, and never move anything away."""
    return {
        "can_view": True,
        "can_trade": True,
        "can_transfer": False,
        "portfolio_uuid": named_uuid("profile", asked.account),
        "portfolio_type": "DEFAULT",
    }


def portfolios(_venue: CoinbaseDialect, asked: Asked) -> object:
    uuid = named_uuid("profile", asked.account)
    row = {"name": "Default", "uuid": uuid, "type": "DEFAULT", "deleted": False}
    return {"portfolios": [row]}


def _place(venue: CoinbaseDialect, asked: Asked) -> Order:
    found = wanted(venue, asked)
    result = venue.exchange.place(found.new)
    if isinstance(result, Rejection):
        raise _rejected(result, found)
    if found.end_ms is not None:
        venue.ends[result.order_id] = found.end_ms
    return result


def _placed(venue: CoinbaseDialect, found: Order) -> bodies.Body:
    return {
        "success": True,
        "success_response": {
            "order_id": order_uuid(found.order_id),
            "product_id": _product_of(venue, found),
            "side": bodies.WORDS[found.side],
            "client_order_id": found.client_order_id,
            "attached_order_id": "",
        },
        "order_configuration": bodies.configuration(found, venue.ends),
    }


def _rejected(rejection: Rejection, found: Wanted) -> OrderRefused:
    if rejection is Rejection.WOULD_TRIGGER and found.new.kind in CONDITIONAL:
        is_down = fires_down(found.new.kind, found.new.side)
        word = "ABOVE" if is_down else "BELOW"
        preview = f"PREVIEW_STOP_PRICE_{word}_LAST_TRADE_PRICE"
        return OrderRefused("UNKNOWN_FAILURE_REASON", "", preview)
    return OrderRefused(*ADVANCED_REJECTED[rejection])


def _cancel(venue: CoinbaseDialect, account: str, order_id: str) -> bodies.Body:
    found = _find(venue, account, order_id)
    reason = "UNKNOWN_CANCEL_FAILURE_REASON"
    if found is None:
        reason = "UNKNOWN_CANCEL_ORDER"
    elif not found.is_open:
        reason = "INVALID_CANCEL_REQUEST"
    else:
        venue.exchange.cancel(found, "user")
    is_done = reason == "UNKNOWN_CANCEL_FAILURE_REASON"
    return {"success": is_done, "failure_reason": reason, "order_id": order_id}


def _find(venue: CoinbaseDialect, account: str, order_id: str) -> Order | None:
    found = venue.exchange.engine.orders.get(order_number(order_id) or 0)
    return found if found is not None and found.account == account else None


def _product_of(venue: CoinbaseDialect, found: Order) -> str:
    return product_id(venue.exchange.wares[found.symbol].listing)


def _cursor(asked: Asked) -> int | None:
    return asked.whole("cursor")
