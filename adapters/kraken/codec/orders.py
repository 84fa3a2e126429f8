"""Write requests about orders, and read what REST tells of orders, fills and balances.

WebSocket wants numbers, REST takes texts. Fees are asked for in the quote asset, which is
also how the trades history counts them.

Source: docs.kraken.com, "Add Order" (WebSocket v2 and REST), "Get Open Orders", "Get Closed
Orders", "Get Trades History", "Get Extended Balance", 2026-05-27 to 2026-08-25.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from actors.messages import (
    OrderRequest,
    OrderType,
    Side,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from adapters.errors import LocalProtocolError
from adapters.figures import UNREADABLE, BadFigure, bad
from adapters.kraken.codec import words
from adapters.kraken.codec.numbers import (
    ZERO,
    Word,
    amount,
    bare,
    positive,
    rfc3339,
    seconds_ms,
    signed,
)
from adapters.kraken.codec.rest import decode_body
from adapters.kraken.codec.words import EXCHANGE

Name = Callable[[str], str]  # the venue's name of something to ours


class Descr(msgspec.Struct):
    """What was ordered; prices may be relative ("+5%") in orders that are not ours."""

    pair: Word = ""
    type: Word = ""
    ordertype: Word = ""
    price: Word = "0"
    price2: Word = "0"


class OrderBody(msgspec.Struct):
    status: Word
    descr: Descr
    vol: Decimal
    vol_exec: Decimal
    opentm: Decimal
    closetm: Decimal | None = None
    cl_ord_id: Word | None = None
    reason: str | None = None


class OpenOrders(msgspec.Struct):
    open: dict[str, OrderBody]


class ClosedOrders(msgspec.Struct):
    closed: dict[str, OrderBody]
    count: int  # over all pages


class TradeBody(msgspec.Struct):
    ordertxid: Word
    pair: Word
    time: Decimal
    type: Word
    price: Decimal
    vol: Decimal
    fee: Decimal
    maker: bool = False


class Trades(msgspec.Struct):
    trades: dict[str, TradeBody]
    count: int  # over all pages


class BalanceBody(msgspec.Struct):
    balance: Decimal
    hold_trade: Decimal = ZERO
    credit: Decimal = ZERO
    credit_used: Decimal = ZERO


class Placed(msgspec.Struct):
    txid: list[Word]


_open = msgspec.json.Decoder(OpenOrders)
_closed = msgspec.json.Decoder(ClosedOrders)
_known = msgspec.json.Decoder(dict[str, OrderBody])
_trades = msgspec.json.Decoder(Trades)
_balances = msgspec.json.Decoder(dict[str, BalanceBody])
_placed = msgspec.json.Decoder(Placed)


def place_fields(request: OrderRequest, *, deadline_ms: int) -> dict[str, object]:
    """Return the parameters of the WebSocket's add_order but the token.

    Raises:
      LocalProtocolError: a price that the order type needs is missing.
    """
    kind = request.order_type
    fields: dict[str, object] = {
        "order_type": words.TYPE_WORD[kind],
        "side": request.side.value,
        "symbol": request.symbol,
        "order_qty": bare(request.base),
        "cl_ord_id": request.client_order_id,
        "fee_preference": "quote",
        "deadline": rfc3339(deadline_ms),
    }
    if kind.is_limited:
        fields["limit_price"] = bare(given(request.limit_price, "limit price"))
        fields["time_in_force"] = "gtc"
    if kind is OrderType.LIMIT_MAKER:
        fields["post_only"] = True
    if kind.is_triggered:
        price = bare(given(request.stop_price, "stop price"))
        fields["triggers"] = {"reference": "last", "price": price, "price_type": "static"}
    return fields


def place_form(request: OrderRequest, pair: str, *, deadline_ms: int) -> dict[str, str]:
    """Return the parameters of REST's AddOrder.

    Raises:
      LocalProtocolError: a price that the order type needs is missing.
    """
    kind = request.order_type
    form = {
        "pair": pair,
        "type": request.side.value,
        "ordertype": words.TYPE_WORD[kind],
        "volume": f"{request.base:f}",
        "cl_ord_id": request.client_order_id,
        "oflags": "fciq,post" if kind is OrderType.LIMIT_MAKER else "fciq",
        "deadline": rfc3339(deadline_ms),
    }
    if kind.is_limited:
        limit_price = f"{given(request.limit_price, 'limit price'):f}"
        form |= {"timeinforce": "GTC", "price": limit_price}
        if kind.is_triggered:
            stop_price = f"{given(request.stop_price, 'stop price'):f}"
            form |= {"price": stop_price, "price2": limit_price, "trigger": "last"}
    return form


def given(price: Decimal | None, what: str) -> Decimal:
    if price is None:
        raise LocalProtocolError(f"this order type needs a {what}")
    return price


def decode_placed(result: msgspec.Raw) -> str:
    """Return the venue's id of a new order.

    Raises:
      RemoteProtocolError: there is not exactly one.
    """
    placed = decode_body(_placed, "order answer", result)
    if len(placed.txid) != 1:
        raise bad("order answer", bytes(result), BadFigure("not one order"))
    return placed.txid[0]


def decode_open_orders(result: msgspec.Raw, symbol_of: Name) -> list[VenueOrder]:
    """Return the open orders, oldest first."""
    return _ordered(decode_body(_open, "open orders", result).open, result, symbol_of)


def decode_closed_orders(
    result: msgspec.Raw, symbol_of: Name
) -> tuple[list[VenueOrder], int]:
    """Return a page of closed orders, oldest first, and how many there are in all."""
    found = decode_body(_closed, "closed orders", result)
    return _ordered(found.closed, result, symbol_of), found.count


def decode_known_orders(result: msgspec.Raw, symbol_of: Name) -> list[VenueOrder]:
    """Return the answer to QueryOrders, which is keyed by the venue's ids."""
    return _ordered(decode_body(_known, "known orders", result), result, symbol_of)


def _ordered(
    rows: Mapping[str, OrderBody], result: msgspec.Raw, symbol_of: Name
) -> list[VenueOrder]:
    try:
        found = [_venue_order(order_id, row, symbol_of) for order_id, row in rows.items()]
    except UNREADABLE as error:
        raise bad("orders", bytes(result), error) from error
    return sorted(found, key=lambda order: order.update_ms)


def _venue_order(order_id: str, row: OrderBody, symbol_of: Name) -> VenueOrder:
    descr, filled_base = row.descr, amount(row.vol_exec)
    if not descr.pair:
        raise BadFigure("an order of no pair")
    limit_price, stop_price = _prices(descr)
    return VenueOrder(
        exchange=EXCHANGE,
        symbol=symbol_of(descr.pair),
        client_order_id=row.cl_ord_id or "",
        venue_order_id=order_id,
        side=words.side(descr.type),
        order_type=descr.ordertype,
        status=words.status(row.status, is_filling=bool(filled_base)),
        base=amount(row.vol),
        filled_base=filled_base,
        limit_price=limit_price,
        stop_price=stop_price,
        update_ms=seconds_ms(row.closetm or row.opentm),
        reason=(row.reason or "")[:100],
    )


def _prices(descr: Descr) -> tuple[Decimal | None, Decimal | None]:
    """Return limit and stop price; what is relative or missing is None."""
    first, second = _plain(descr.price), _plain(descr.price2)
    if descr.ordertype.endswith("-limit"):
        return second, first
    if descr.ordertype in {"stop-loss", "take-profit", "trailing-stop"}:
        return None, first
    return first, None


def _plain(text: str) -> Decimal | None:
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return amount(Decimal(text)) or None
    return None


def decode_trades(
    result: msgspec.Raw, symbol_of: Name, quotes: Mapping[str, str]
) -> tuple[list[VenueFill], int]:
    """Return a page of the account's fills, and how many there are in all.

    Fees are told in the quote asset; `quotes` names it for each of our symbols.
    """
    found = decode_body(_trades, "account trades", result)
    try:
        fills = [
            _fill(trade_id, row, symbol_of(row.pair), quotes)
            for trade_id, row in found.trades.items()
        ]
    except UNREADABLE as error:
        raise bad("account trades", bytes(result), error) from error
    return fills, found.count


def _fill(
    trade_id: str, row: TradeBody, symbol: str, quotes: Mapping[str, str]
) -> VenueFill:
    return VenueFill(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id="",
        venue_order_id=row.ordertxid,
        trade_id=trade_id,
        side=Side(words.side(row.type)),
        price=positive(row.price),
        base=positive(row.vol),
        fee=signed(row.fee),
        fee_asset=quotes.get(symbol, ""),
        is_maker=row.maker,
        trade_ms=seconds_ms(row.time),
    )


def decode_balances(result: msgspec.Raw, asset_of: Name) -> tuple[VenueBalance, ...]:
    """Return what is free and what is locked of each asset."""
    try:
        return tuple(
            [
                _balance(asset_of(name), row)
                for name, row in decode_body(_balances, "balances", result).items()
            ]
        )
    except UNREADABLE as error:
        raise bad("balances", bytes(result), error) from error


def _balance(asset: str, row: BalanceBody) -> VenueBalance:
    locked = amount(row.hold_trade)
    free = signed(row.balance) + signed(row.credit) - signed(row.credit_used) - locked
    return VenueBalance(asset, amount(max(ZERO, free)), locked)
