"""Ask for and read orders, fills and balances of Advanced Trade.

A refusal comes with HTTP 200 and `success: false`. Fees are quote. Fills of the types
REVERSAL, CORRECTION and SYNTHETIC are no executions; a balance that they move shows as a
drift.

Source: Advanced Trade REST API, "Create Order", "List Orders", "List Fills", "List
Accounts"; 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs
import msgspec

from actors.messages import (
    OrderRequest,
    OrderType,
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
    BadFigure,
    Figure,
    Word,
    amount,
    bad,
    fee_paid,
    positive,
)

Symbols = Mapping[str, str]
UP: Final = "STOP_DIRECTION_STOP_UP"
DOWN: Final = "STOP_DIRECTION_STOP_DOWN"


class Terms(msgspec.Struct):
    """What is inside of an order configuration, whichever it is."""

    base_size: Decimal | None = None  # the documentation's examples have numbers, too
    limit_price: Figure | None = None
    stop_price: Figure | None = None
    stop_trigger_price: Figure | None = None
    stop_direction: Word = ""


class OrderBody(msgspec.Struct):
    order_id: Word
    product_id: Word
    side: Word
    client_order_id: str
    status: Word
    created_time: Time
    filled_size: Figure = "0"
    order_type: Word = ""
    order_configuration: dict[str, Terms | None] | None = None
    last_fill_time: Time | None = None
    reject_reason: str = ""
    reject_message: str = ""
    cancel_message: str = ""


class OneOrder(msgspec.Struct):
    order: OrderBody


class OrdersBody(msgspec.Struct):
    orders: list[OrderBody]
    has_next: bool = False
    cursor: str = ""


class FillBody(msgspec.Struct):
    trade_id: Word
    order_id: Word
    product_id: Word
    side: Word
    price: Figure
    size: Figure
    commission: Figure
    trade_time: Time
    trade_type: Word = "FILL"
    liquidity_indicator: Word = ""
    size_in_quote: bool = False


class FillsBody(msgspec.Struct):
    fills: list[FillBody]
    cursor: str = ""


class Money(msgspec.Struct):
    value: Figure


class AccountBody(msgspec.Struct):
    currency: Word
    available_balance: Money
    hold: Money | None = None
    type: Word = ""


class AccountsBody(msgspec.Struct):
    accounts: list[AccountBody]
    has_next: bool = False
    cursor: str = ""


@attrs.frozen
class OrdersPage:
    orders: tuple[VenueOrder, ...]
    cursor: str  # "" is the end


@attrs.frozen
class FillsPage:
    fills: tuple[VenueFill, ...]
    cursor: str
    passed_over: int  # rows that are no executions


@attrs.frozen
class BalancesPage:
    balances: tuple[VenueBalance, ...]
    cursor: str


_one = msgspec.json.Decoder(OneOrder)
_orders = msgspec.json.Decoder(OrdersBody)
_fills = msgspec.json.Decoder(FillsBody)
_accounts = msgspec.json.Decoder(AccountsBody)


def encode_order(request: OrderRequest, product: str) -> bytes:
    """Return the body of a new order.

    Raises:
      LocalProtocolError: a price that the order type needs is missing.
    """
    name, terms = _configuration(request)
    return msgspec.json.encode(
        {
            "client_order_id": request.client_order_id,
            "product_id": product,
            "side": request.side.name,
            "order_configuration": {name: terms},
        }
    )


def _configuration(request: OrderRequest) -> tuple[str, dict[str, str | bool]]:
    terms: dict[str, str | bool] = {"base_size": f"{request.base:f}"}
    if request.order_type is OrderType.MARKET:
        return "market_market_ioc", terms
    terms["limit_price"] = words.given(request.limit_price, "limit price")
    if request.order_type.is_triggered:
        terms["stop_price"] = words.given(request.stop_price, "stop price")
        terms["stop_direction"] = DOWN if words.triggers_below(request) else UP
        return "stop_limit_stop_limit_gtc", terms
    terms["post_only"] = request.order_type is OrderType.LIMIT_MAKER
    return "limit_limit_gtc", terms


def encode_cancel(venue_order_id: str) -> bytes:
    """Return the body of a cancel of one order."""
    return msgspec.json.encode({"order_ids": [venue_order_id]})


def decode_order(body: bytes, symbols: Symbols) -> VenueOrder:
    """Return the answer to a query of one order.

    Raises:
      RemoteProtocolError: unreadable.
    """
    try:
        return _venue_order(_one.decode(body).order, symbols)
    except UNREADABLE as error:
        raise bad("order", body, error) from error


def decode_orders(body: bytes, symbols: Symbols) -> OrdersPage:
    """Return one page of the list of orders."""
    try:
        page = _orders.decode(body)
        found = tuple([_venue_order(row, symbols) for row in page.orders])
    except UNREADABLE as error:
        raise bad("orders", body, error) from error
    return OrdersPage(found, page.cursor if page.has_next else "")


def _venue_order(row: OrderBody, symbols: Symbols) -> VenueOrder:
    filled_base = amount(row.filled_size or "0")
    terms = next(filter(None, (row.order_configuration or {}).values()), Terms())
    return VenueOrder(
        exchange=EXCHANGE,
        symbol=symbols.get(row.product_id, row.product_id),
        client_order_id=row.client_order_id,
        venue_order_id=row.order_id,
        side=words.side(row.side),
        order_type=_type_of(row, terms),
        status=words.advanced_status(row.status, is_filling=bool(filled_base)),
        base=_size(terms.base_size) or filled_base,
        filled_base=filled_base,
        limit_price=_price(terms.limit_price),
        stop_price=_price(terms.stop_price or terms.stop_trigger_price),
        update_ms=epoch_ms(row.last_fill_time or "") or epoch_ms(row.created_time),
        reason=_reason(row),
    )


def _type_of(row: OrderBody, terms: Terms) -> str:
    """Return the venue's word, and for a stop which way the price must go."""
    way = terms.stop_direction.removeprefix("STOP_DIRECTION_")
    return f"{row.order_type} {way}".rstrip()


def _reason(row: OrderBody) -> str:
    is_said = row.reject_reason not in {"", "REJECT_REASON_UNSPECIFIED"}
    said = (row.reject_reason if is_said else "", row.reject_message, row.cancel_message)
    return ": ".join(filter(None, said))[:160]


def _size(size: Decimal | None) -> Decimal | None:
    return amount(f"{size:f}") if size else None


def _price(text: str | None) -> Decimal | None:
    return (amount(text) or None) if text else None


def decode_fills(body: bytes, symbols: Symbols) -> FillsPage:
    """Return one page of the list of fills."""
    try:
        page = _fills.decode(body)
        rows = [row for row in page.fills if row.trade_type == "FILL"]
        found = tuple([_fill(row, symbols) for row in rows])
    except UNREADABLE as error:
        raise bad("fills", body, error) from error
    return FillsPage(found, page.cursor, len(page.fills) - len(rows))


def _fill(row: FillBody, symbols: Symbols) -> VenueFill:
    symbol = symbols.get(row.product_id, row.product_id)
    price, size = positive(row.price), positive(row.size)
    return VenueFill(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id="",
        venue_order_id=row.order_id,
        trade_id=row.trade_id,
        side=words.side(row.side),
        price=price,
        base=size / price if row.size_in_quote else size,
        fee=fee_paid(row.commission),
        fee_asset=split_symbol(symbol)[1],
        is_maker=row.liquidity_indicator == "MAKER",
        trade_ms=epoch_ms(row.trade_time),
    )


def decode_accounts(body: bytes) -> BalancesPage:
    """Return one page of the accounts; what is locked in a vault is not for trading."""
    try:
        page = _accounts.decode(body)
        found = tuple(
            [_balance(row) for row in page.accounts if row.type != "ACCOUNT_TYPE_VAULT"]
        )
    except UNREADABLE as error:
        raise bad("accounts", body, error) from error
    return BalancesPage(found, page.cursor if page.has_next else "")


def _balance(row: AccountBody) -> VenueBalance:
    if not row.currency:
        raise BadFigure("an account without a currency")
    held = amount(row.hold.value) if row.hold is not None else Decimal(0)
    return VenueBalance(row.currency, amount(row.available_balance.value), held)
