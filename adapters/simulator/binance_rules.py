"""Turn the parameters of a new order into an order, or refuse them as Binance does.

Source: rest-api.md "New order", filters.md, errors.md, 2026-07-21.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from actors.messages import Side
from actors.pure.matching_orders import CONDITIONAL, ZERO, Kind, Lasting, NewOrder
from adapters.simulator.binance_bodies import KINDS, LASTING
from adapters.simulator.binance_faults import (
    CLIENT_ID_RANGE,
    Refused,
    filter_failure,
    illegal,
    missing,
    not_required,
)
from adapters.simulator.binance_params import Params
from adapters.simulator.config import Listing
from adapters.simulator.exchange import Exchange, Ware

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
RESPONSES: Final = ("ACK", "RESULT", "FULL")
PERCENT_UP, PERCENT_DOWN = Decimal(5), Decimal("0.2")  # of PERCENT_PRICE_BY_SIDE
NEW_ORDER: Final = frozenset(
    {
        "symbol",
        "side",
        "type",
        "timeInForce",
        "quantity",
        "quoteOrderQty",
        "price",
        "stopPrice",
        "newClientOrderId",
        "newOrderRespType",
        "selfTradePreventionMode",
        "strategyId",
        "strategyType",
    }
)
_CLIENT_ID: Final = re.compile("[a-zA-Z0-9-_]{1,36}", re.ASCII)


def new_order(exchange: Exchange, account: str, params: Params) -> tuple[NewOrder, str]:
    """Return the order and the kind of answer that is wanted.

    Raises:
      Refused: a parameter is missing, superfluous or malformed, or a filter fails.
    """
    ware = params.ware(exchange)
    side = SIDES.get(params.text("side"))
    if side is None:
        raise Refused(-1117, "Invalid side.")
    kind = KINDS.get(params.text("type"))
    if kind is None:
        raise Refused(-1116, "Invalid orderType.")
    lasting = _lasting(params, kind)
    base, quote = _size(params, kind)
    new = NewOrder(
        account=account,
        client_order_id=client_order_id(exchange, params, "newClientOrderId"),
        symbol=ware.listing.venue_symbol,
        side=side,
        kind=kind,
        base=base,
        price=_price(params, "price", is_wanted=kind is not Kind.MARKET),
        stop_price=_price(params, "stopPrice", is_wanted=kind in CONDITIONAL),
        quote=quote,
        lasting=lasting,
    )
    response = params.maybe("newOrderRespType")
    response = response or ("FULL" if kind in {Kind.MARKET, Kind.LIMIT} else "ACK")
    if response not in RESPONSES:
        raise illegal("newOrderRespType", "^ACK|RESULT|FULL$")
    check_filters(exchange, ware, new)
    return new, response


def client_order_id(exchange: Exchange, params: Params, name: str) -> str:
    """Return the client's own id, or one that the venue makes up."""
    found = params.maybe(name)
    if found is None:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return "".join(exchange.chance.choices(letters, k=22))
    if not _CLIENT_ID.fullmatch(found):
        raise illegal(name, CLIENT_ID_RANGE)
    return found


def _lasting(params: Params, kind: Kind) -> Lasting:
    if kind in {Kind.MARKET, Kind.LIMIT_MAKER}:
        if "timeInForce" in params:
            raise not_required("timeInForce")
        return Lasting.GTC
    found = LASTING.get(params.text("timeInForce"))
    if found is None:
        raise Refused(-1115, "Invalid timeInForce.")
    return found


def _size(params: Params, kind: Kind) -> tuple[Decimal, Decimal]:
    """Return (base, quote); only a market order may be sized in quote."""
    if "quoteOrderQty" not in params:
        base = params.number("quantity")
        if not base:
            raise Refused(-1013, "Invalid quantity.")
        return base, ZERO
    if kind is not Kind.MARKET:
        raise not_required("quoteOrderQty")
    if "quantity" in params:
        raise Refused(-1128, "Combination of optional parameters invalid.")
    return ZERO, params.number("quoteOrderQty")


def _price(params: Params, name: str, *, is_wanted: bool) -> Decimal:
    if not is_wanted:
        if name in params:
            raise not_required(name)
        return ZERO
    if name not in params:
        raise missing(name)
    price = params.number(name)
    if not price:
        raise Refused(-1013, "Invalid price." if name == "price" else "Invalid stopPrice.")
    return price


def check_filters(exchange: Exchange, ware: Ware, new: NewOrder) -> None:
    """Refuse an order by the first filter that it fails.

    Raises:
      Refused: -1013 with the filter's name.
    """
    for name, is_kept in FILTERS:
        if not is_kept(ware, new):
            raise filter_failure(name)
    account_orders = exchange.engine.open_orders(new.account, new.symbol)
    if new.kind is not Kind.MARKET and len(account_orders) >= ware.listing.orders_max:
        raise filter_failure("MAX_NUM_ORDERS")


def _keeps_price(ware: Ware, new: NewOrder) -> bool:
    listing = ware.listing
    return all(
        listing.tick <= price <= listing.price_max and not price % listing.tick
        for price in (new.price, new.stop_price)
        if price
    )


def _keeps_percent(ware: Ware, new: NewOrder) -> bool:
    last = ware.chart.last
    return not new.price or last * PERCENT_DOWN <= new.price <= last * PERCENT_UP


def _keeps_lot(ware: Ware, new: NewOrder) -> bool:
    listing = ware.listing
    if not new.base:
        return True
    return listing.base_min <= new.base <= listing.base_max and not new.base % listing.lot


def _keeps_market_lot(ware: Ware, new: NewOrder) -> bool:
    return new.kind is not Kind.MARKET or new.base <= ware.listing.market_base_max


def _keeps_notional(ware: Ware, new: NewOrder) -> bool:
    listing: Listing = ware.listing
    if new.kind is Kind.MARKET:
        return (new.quote or new.base * ware.chart.last) >= listing.quote_min
    return listing.quote_min <= new.base * new.price <= listing.quote_max


FILTERS: Final[tuple[tuple[str, Callable[[Ware, NewOrder], bool]], ...]] = (
    ("PRICE_FILTER", _keeps_price),
    ("PERCENT_PRICE_BY_SIDE", _keeps_percent),
    ("LOT_SIZE", _keeps_lot),
    ("MARKET_LOT_SIZE", _keeps_market_lot),
    ("NOTIONAL", _keeps_notional),
)
