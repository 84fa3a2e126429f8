"""Read the bodies about orders, fills and balances; REST and the WS-API share them.

Source: rest-api.md and web-socket-api.md, 2026-07-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from actors.messages import (
    OrderRequest,
    OrderType,
    Side,
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from adapters.binance.codec import words
from adapters.binance.codec.market import EXCHANGE
from adapters.errors import LocalProtocolError
from adapters.figures import (
    UNREADABLE,
    Figure,
    Ident,
    Ms,
    Word,
    amount,
    bad,
    fee_paid,
    positive,
)


class OrderBody(msgspec.Struct, rename="camel"):
    symbol: Word
    order_id: Ident
    client_order_id: Word
    price: Figure
    orig_qty: Figure
    executed_qty: Figure
    status: Word
    type: Word
    side: Word
    update_time: Ms
    stop_price: Figure = "0"


class FillBody(msgspec.Struct, rename="camel"):
    price: Figure
    qty: Figure
    commission: Figure
    commission_asset: Word
    trade_id: Ident


class Placed(msgspec.Struct, rename="camel"):
    """The answer to a new order (ACK, RESULT or FULL) and to a cancel."""

    symbol: Word
    order_id: Ident
    client_order_id: Word
    transact_time: Ms
    executed_qty: Figure = "0"
    status: Word = "NEW"
    side: Word = ""
    orig_client_order_id: Word = ""  # of a cancel: the order's own id
    fills: list[FillBody] = []


class Canceled(Placed):
    """The cancelled half of a cancel-and-replace may come without its time."""

    transact_time: Ms = 0  # 0: not told


class TradeBody(msgspec.Struct, rename="camel"):
    symbol: Word
    id: Ident
    order_id: Ident
    price: Figure
    qty: Figure
    commission: Figure
    commission_asset: Word
    time: Ms
    is_buyer: bool
    is_maker: bool


class BalanceBody(msgspec.Struct):
    asset: Word
    free: Figure
    locked: Figure


class Account(msgspec.Struct, rename="camel"):
    balances: list[BalanceBody]
    can_trade: bool = True
    can_withdraw: bool = False


_order = msgspec.json.Decoder(OrderBody)
_orders = msgspec.json.Decoder(list[OrderBody])
_placed = msgspec.json.Decoder(Placed)
_canceled = msgspec.json.Decoder(Canceled)
_trades = msgspec.json.Decoder(list[TradeBody])
_account = msgspec.json.Decoder(Account)

Symbols = Mapping[str, str]


def decode_order(body: bytes, symbols: Symbols) -> VenueOrder:
    """Return the answer to a query of one order.

    Raises:
      RemoteProtocolError: unreadable.
    """
    try:
        return _venue_order(_order.decode(body), symbols)
    except UNREADABLE as error:
        raise bad("order", body, error) from error


def decode_orders(body: bytes, symbols: Symbols) -> tuple[VenueOrder, ...]:
    """Return the answer to openOrders or allOrders."""
    try:
        return tuple([_venue_order(row, symbols) for row in _orders.decode(body)])
    except UNREADABLE as error:
        raise bad("orders", body, error) from error


def _venue_order(row: OrderBody, symbols: Symbols) -> VenueOrder:
    filled_base = amount(row.executed_qty)
    return VenueOrder(
        exchange=EXCHANGE,
        symbol=_canonical(row.symbol, symbols),
        client_order_id=row.client_order_id,
        venue_order_id=str(row.order_id),
        side=words.side(row.side),
        order_type=row.type,
        status=words.status(row.status, is_filling=bool(filled_base)),
        base=amount(row.orig_qty),
        filled_base=filled_base,
        limit_price=amount(row.price) or None,
        stop_price=amount(row.stop_price) or None,
        update_ms=row.update_time,
    )


def decode_placed(body: bytes, symbols: Symbols) -> VenueAck:
    """Return the answer to a new order or a cancel, with the fills that came with it."""
    try:
        return _ack(_placed.decode(body), symbols)
    except UNREADABLE as error:
        raise bad("order answer", body, error) from error


def decode_canceled(body: bytes, symbols: Symbols) -> VenueAck:
    """Return the cancelled half of a cancel-and-replace; `transact_ms` 0 is not told."""
    try:
        return _ack(_canceled.decode(body), symbols)
    except UNREADABLE as error:
        raise bad("cancel answer", body, error) from error


def _ack(row: Placed, symbols: Symbols) -> VenueAck:
    filled_base = amount(row.executed_qty)
    client_order_id = row.orig_client_order_id or row.client_order_id
    fills = tuple([_ack_fill(fill, row, client_order_id, symbols) for fill in row.fills])
    return VenueAck(
        client_order_id=client_order_id,
        venue_order_id=str(row.order_id),
        status=words.status(row.status, is_filling=bool(filled_base)),
        filled_base=filled_base,
        transact_ms=row.transact_time,
        fills=fills,
    )


def _ack_fill(
    fill: FillBody, row: Placed, client_order_id: str, symbols: Symbols
) -> VenueFill:
    return VenueFill(
        exchange=EXCHANGE,
        symbol=_canonical(row.symbol, symbols),
        client_order_id=client_order_id,
        venue_order_id=str(row.order_id),
        trade_id=str(fill.trade_id),
        side=words.side(row.side),
        price=positive(fill.price),
        base=positive(fill.qty),
        fee=fee_paid(fill.commission),
        fee_asset=fill.commission_asset,
        is_maker=False,  # what fills at once takes
        trade_ms=row.transact_time,
    )


def decode_trades(body: bytes, symbols: Symbols) -> tuple[VenueFill, ...]:
    """Return the account's fills; myTrades names orders by the venue's id only."""
    try:
        return tuple([_fill(row, symbols) for row in _trades.decode(body)])
    except UNREADABLE as error:
        raise bad("account trades", body, error) from error


def _fill(row: TradeBody, symbols: Symbols) -> VenueFill:
    return VenueFill(
        exchange=EXCHANGE,
        symbol=_canonical(row.symbol, symbols),
        client_order_id="",
        venue_order_id=str(row.order_id),
        trade_id=str(row.id),
        side=Side.BUY if row.is_buyer else Side.SELL,
        price=positive(row.price),
        base=positive(row.qty),
        fee=fee_paid(row.commission),
        fee_asset=row.commission_asset,
        is_maker=row.is_maker,
        trade_ms=row.time,
    )


def decode_account(body: bytes) -> tuple[VenueBalance, ...]:
    """Return the balances of GET /api/v3/account."""
    try:
        return tuple(
            [
                VenueBalance(row.asset, amount(row.free), amount(row.locked))
                for row in _account.decode(body).balances
            ]
        )
    except UNREADABLE as error:
        raise bad("account", body, error) from error


def _canonical(venue_symbol: str, symbols: Symbols) -> str:
    """Return our name, or the venue's own for a symbol that exchangeInfo did not tell."""
    return symbols.get(venue_symbol, venue_symbol)


def place_params(request: OrderRequest) -> dict[str, str]:
    """Return the parameters of a new order but its symbol; figures are never in e-form.

    Raises:
      LocalProtocolError: a price that the order type needs is missing.
    """
    params = {
        "side": words.SIDE_WORD[request.side],
        "type": words.TYPE_WORD[request.order_type],
        "quantity": f"{request.base:f}",
        "newClientOrderId": request.client_order_id,
        "newOrderRespType": "FULL",
    }
    if request.order_type is OrderType.MARKET:
        return params
    params["price"] = _given(request.limit_price, "limit price")
    if request.order_type is not OrderType.LIMIT_MAKER:  # it takes no time in force
        params["timeInForce"] = "GTC"
    if request.order_type.is_triggered:
        params["stopPrice"] = _given(request.stop_price, "stop price")
    return params


def _given(price: Decimal | None, what: str) -> str:
    if price is None:
        raise LocalProtocolError(f"this order type needs a {what}")
    return f"{price:f}"
