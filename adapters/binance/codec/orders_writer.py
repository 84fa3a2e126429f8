"""Write the bodies about orders, fills and balances as Binance does.

Source: rest-api.md, 2026-07-21. Each writer mirrors a reader in `codec.orders`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from actors.messages import Side, VenueBalance, VenueFill, VenueOrder
from adapters.binance.codec import words
from adapters.figures import eight

_ZERO = Decimal(0)


def order_fields(
    order: VenueOrder, venue_symbol: str, *, quote_filled: Decimal, created_ms: int
) -> dict[str, object]:
    """Return one order as queries list it."""
    return {
        "symbol": venue_symbol,
        "orderId": int(order.venue_order_id),
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": eight(order.limit_price or _ZERO),
        "origQty": eight(order.base),
        "executedQty": eight(order.filled_base),
        "cummulativeQuoteQty": eight(quote_filled),
        "status": words.STATUS_WORD[order.status],
        "timeInForce": "GTC",
        "type": order.order_type,
        "side": words.SIDE_WORD[order.side],
        "stopPrice": eight(order.stop_price or _ZERO),
        "icebergQty": eight(_ZERO),
        "time": created_ms,
        "updateTime": order.update_ms,
        "isWorking": True,
        "workingTime": created_ms,
        "origQuoteOrderQty": eight(_ZERO),
        "selfTradePreventionMode": "NONE",
    }


def placed_fields(
    order: VenueOrder,
    venue_symbol: str,
    *,
    quote_filled: Decimal,
    fills: Iterable[VenueFill],
    resp_type: str = "FULL",
) -> dict[str, object]:
    """Return the answer to a new order: ACK, RESULT or FULL."""
    ack: dict[str, object] = {
        "symbol": venue_symbol,
        "orderId": int(order.venue_order_id),
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.update_ms,
    }
    if resp_type == "ACK":
        return ack
    result = {
        **ack,
        **_state(order, quote_filled),
        "workingTime": order.update_ms,
        "selfTradePreventionMode": "NONE",
    }
    if order.stop_price:
        result["stopPrice"] = eight(order.stop_price)
    if resp_type == "RESULT":
        return result
    return {**result, "fills": [_fill_fields(fill) for fill in fills]}


def canceled_fields(
    order: VenueOrder, venue_symbol: str, *, cancel_id: str, quote_filled: Decimal
) -> dict[str, object]:
    """Return the answer to a cancel; `clientOrderId` is the cancel's own id."""
    return {
        "symbol": venue_symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": int(order.venue_order_id),
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.update_ms,
        **_state(order, quote_filled),
        "selfTradePreventionMode": "NONE",
    }


def _state(order: VenueOrder, quote_filled: Decimal) -> dict[str, object]:
    return {
        "price": eight(order.limit_price or _ZERO),
        "origQty": eight(order.base),
        "executedQty": eight(order.filled_base),
        "origQuoteOrderQty": eight(_ZERO),
        "cummulativeQuoteQty": eight(quote_filled),
        "status": words.STATUS_WORD[order.status],
        "timeInForce": "GTC",
        "type": order.order_type,
        "side": words.SIDE_WORD[order.side],
    }


def _fill_fields(fill: VenueFill) -> dict[str, object]:
    return {
        "price": eight(fill.price),
        "qty": eight(fill.base),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": int(fill.trade_id),
    }


def trade_fields(fill: VenueFill, venue_symbol: str) -> dict[str, object]:
    """Return one fill as myTrades lists it."""
    return {
        "symbol": venue_symbol,
        "id": int(fill.trade_id),
        "orderId": int(fill.venue_order_id),
        "orderListId": -1,
        "price": eight(fill.price),
        "qty": eight(fill.base),
        "quoteQty": eight(fill.price * fill.base),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.trade_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account_fields(
    balances: Iterable[VenueBalance], *, maker: Decimal, taker: Decimal, update_ms: int
) -> dict[str, object]:
    """Return the body of GET /api/v3/account; commissions are fractions."""
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": eight(maker),
            "taker": eight(taker),
            "buyer": eight(_ZERO),
            "seller": eight(_ZERO),
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": update_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": b.asset, "free": eight(b.free), "locked": eight(b.locked)}
            for b in balances
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def encode(fields: object) -> bytes:
    """Return a body as bytes."""
    return msgspec.json.encode(fields)
