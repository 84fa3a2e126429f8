"""Ask for and read orders, fills and balances of an Exchange key.

A fill names the venue's own order id only; fees are quote.

Source: Exchange REST API, "Create a new order", "Get single order", "Get all fills",
"Get all accounts for a profile"; 2025-05.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from actors.messages import (
    OrderRequest,
    OrderStatus,
    OrderType,
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from actors.pure.money import split_symbol
from adapters.coinbase.codec import words
from adapters.coinbase.codec.feed import EXCHANGE
from adapters.coinbase.codec.times import Time, epoch_ms
from adapters.figures import (
    UNREADABLE,
    Figure,
    Ident,
    Word,
    amount,
    bad,
    fee_paid,
    positive,
)

Symbols = Mapping[str, str]


class OrderBody(msgspec.Struct):
    id: Word
    product_id: Word
    side: Word
    type: Word
    status: Word
    created_at: Time
    size: Figure | None = None  # a market order by funds has none
    filled_size: Figure | None = None
    price: Figure | None = None
    stop_price: Figure | None = None
    stop: Word | None = None  # "loss" below the market, "entry" above it
    done_at: Time | None = None
    done_reason: Word | None = None
    reject_reason: str | None = None
    client_oid: Word | None = None


class FillBody(msgspec.Struct):
    trade_id: Ident
    product_id: Word
    order_id: Word
    side: Word
    price: Figure
    size: Figure
    fee: Figure
    liquidity: Word
    created_at: Time


class AccountBody(msgspec.Struct):
    currency: Word
    available: Figure
    hold: Figure


_order = msgspec.json.Decoder(OrderBody)
_orders = msgspec.json.Decoder(list[OrderBody])
_fills = msgspec.json.Decoder(list[FillBody])
_accounts = msgspec.json.Decoder(list[AccountBody])
_cancelled = msgspec.json.Decoder(str | list[str])


def encode_order(request: OrderRequest, product: str) -> bytes:
    """Return the body of POST /orders.

    Raises:
      LocalProtocolError: a price that the order type needs is missing.
    """
    kind = request.order_type
    body: dict[str, str | bool] = {
        "type": "limit" if kind.is_limited else "market",
        "side": request.side.value,
        "product_id": product,
        "size": f"{request.base:f}",
        "client_oid": request.client_order_id,
    }
    if kind.is_limited:
        body["price"] = words.given(request.limit_price, "limit price")
        body["time_in_force"] = "GTC"
    if kind is OrderType.LIMIT_MAKER:
        body["post_only"] = True
    if kind.is_triggered:
        body["stop"] = "loss" if words.triggers_below(request) else "entry"
        body["stop_price"] = words.given(request.stop_price, "stop price")
    return msgspec.json.encode(body)


def decode_order(body: bytes, symbols: Symbols) -> VenueOrder:
    """Return the answer to a query of one order, and to a new one.

    Raises:
      RemoteProtocolError: unreadable.
    """
    try:
        return _venue_order(_order.decode(body), symbols)
    except UNREADABLE as error:
        raise bad("order", body, error) from error


def decode_orders(body: bytes, symbols: Symbols) -> tuple[VenueOrder, ...]:
    """Return one page of GET /orders."""
    try:
        return tuple([_venue_order(row, symbols) for row in _orders.decode(body)])
    except UNREADABLE as error:
        raise bad("orders", body, error) from error


def _venue_order(row: OrderBody, symbols: Symbols) -> VenueOrder:
    filled_base = amount(row.filled_size or "0")
    return VenueOrder(
        exchange=EXCHANGE,
        symbol=symbols.get(row.product_id, row.product_id),
        client_order_id=row.client_oid or "",
        venue_order_id=row.id,
        side=words.side(row.side),
        order_type=f"{row.type} stop {row.stop}" if row.stop else row.type,
        status=_status(row, filled_base),
        base=amount(row.size) if row.size else filled_base,
        filled_base=filled_base,
        limit_price=_price(row.price),
        stop_price=_price(row.stop_price),
        update_ms=epoch_ms(row.done_at or row.created_at),
        reason=(row.reject_reason or "")[:160],
    )


def _status(row: OrderBody, filled_base: Decimal) -> OrderStatus:
    """Return our status; FILLED is all that was ordered.

    Self-trade prevention takes from the larger of two orders of one user what the smaller
    one has, and what is left may end as filled: "Exchange Matching Engine".
    """
    reason = row.done_reason or ""
    status = words.exchange_status(row.status, reason, is_filling=bool(filled_base))
    is_short = row.size is not None and filled_base < amount(row.size)
    is_canceled = status is OrderStatus.FILLED and is_short
    return OrderStatus.CANCELED if is_canceled else status


def _price(text: str | None) -> Decimal | None:
    return (amount(text) or None) if text else None


def ack_of(order: VenueOrder) -> VenueAck:
    """Return what the answer to a new order says of it."""
    return VenueAck(
        order.client_order_id,
        order.venue_order_id,
        order.status,
        order.filled_base,
        order.update_ms,
    )


def decode_cancelled(body: bytes, client_order_id: str, at_ms: int) -> VenueAck:
    """Return the answer to a cancel: it was asked for, and names the venue's order id.

    Raises:
      RemoteProtocolError: unreadable.
    """
    try:
        told = _cancelled.decode(body)
    except UNREADABLE as error:
        raise bad("cancel answer", body, error) from error
    order_id = told if isinstance(told, str) else "".join(told[:1])
    status = OrderStatus.PENDING_CANCEL
    return VenueAck(client_order_id, order_id, status, Decimal(0), at_ms)


def decode_fills(body: bytes, symbols: Symbols) -> tuple[VenueFill, ...]:
    """Return one page of GET /fills, in the venue's order: newest first."""
    try:
        return tuple([_fill(row, symbols) for row in _fills.decode(body)])
    except UNREADABLE as error:
        raise bad("fills", body, error) from error


def _fill(row: FillBody, symbols: Symbols) -> VenueFill:
    symbol = symbols.get(row.product_id, row.product_id)
    return VenueFill(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id="",
        venue_order_id=row.order_id,
        trade_id=str(row.trade_id),
        side=words.side(row.side),
        price=positive(row.price),
        base=positive(row.size),
        fee=fee_paid(row.fee),
        fee_asset=split_symbol(symbol)[1],
        is_maker=row.liquidity == "M",
        trade_ms=epoch_ms(row.created_at),
    )


def decode_accounts(body: bytes) -> tuple[VenueBalance, ...]:
    """Return the balances of GET /accounts."""
    try:
        return tuple(
            [
                VenueBalance(row.currency, amount(row.available), amount(row.hold))
                for row in _accounts.decode(body)
            ]
        )
    except UNREADABLE as error:
        raise bad("accounts", body, error) from error
