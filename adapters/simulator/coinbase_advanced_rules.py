"""Turn Advanced Trade's order configurations into orders, or refuse them as it does.

Source: WIRE 3.12; docs.cdp.coinbase.com "Create Order", 2026. Brackets, TWAP and scaled
orders are refused: the matching engine has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import attrs

from actors.messages import Side
from actors.pure.matching_orders import ZERO, Kind, Lasting, NewOrder
from adapters.simulator.coinbase_asked import Asked, number_of, text_of
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_faults import OrderRefused
from adapters.simulator.coinbase_orders import ORDERS_MAX, breach, conditional
from adapters.simulator.coinbase_texts import read_time
from adapters.simulator.exchange import Ware

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
DIRECTIONS: Final = {"STOP_DIRECTION_STOP_DOWN": True, "STOP_DIRECTION_STOP_UP": False}
BREACHES: Final = {
    "price_precision": ("INVALID_PRICE_PRECISION", "PREVIEW_INVALID_PRICE_PRECISION"),
    "price_max": ("INVALID_LIMIT_PRICE", "PREVIEW_INVALID_LIMIT_PRICE"),
    "size_precision": ("INVALID_SIZE_PRECISION", "PREVIEW_INVALID_SIZE_PRECISION"),
    "size_min": ("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    "size_max": ("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    "funds_precision": ("INVALID_SIZE_PRECISION", "PREVIEW_INVALID_SIZE_PRECISION"),
    "funds_min": ("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    "funds_max": ("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE"),
}
LIMITS: Final = {
    "limit_limit_gtc": Lasting.GTC,
    "limit_limit_gtd": Lasting.GTC,
    "limit_limit_fok": Lasting.FOK,
    "sor_limit_ioc": Lasting.IOC,
    "stop_limit_stop_limit_gtc": Lasting.GTC,
    "stop_limit_stop_limit_gtd": Lasting.GTC,
}


@attrs.frozen
class Wanted:
    """An order that passed every check before the engine's, and when its time is up."""

    new: NewOrder
    end_ms: int | None


def wanted(venue: CoinbaseDialect, asked: Asked) -> Wanted:
    """Return the order that a request asks for.

    Raises:
      OrderRefused: it is malformed, or breaks a filter of its product.
    """
    ware = venue.products.get(_text(asked.body, "product_id"))
    if ware is None:
        raise OrderRefused("INVALID_PRODUCT_ID", "unknown product_id")
    side = SIDES.get(_text(asked.body, "side"))
    if side is None:
        raise OrderRefused("INVALID_SIDE", "side is BUY or SELL")
    name, fields = _configuration(asked)
    client_id = _text(asked.body, "client_order_id")
    if not client_id:
        raise OrderRefused("INVALID_REQUEST", "client_order_id is required")
    owner = (asked.account, client_id)
    if name == "market_market_ioc":
        new, end_ms = _market(owner, ware, side, fields), None
    elif name in LIMITS:
        new = _limit(owner, ware, side, name, fields)
        end_ms = _end_ms(venue, fields) if name.endswith("_gtd") else None
    else:
        raise OrderRefused("UNSUPPORTED_ORDER_CONFIGURATION", f"{name} is not supported")
    prices = tuple(price for price in (new.price, new.stop_price) if price)
    broken = breach(ware, new.kind, new.base, new.quote, prices)
    if broken:
        error, preview = BREACHES[broken]
        raise OrderRefused(error, broken.replace("_", " "), preview)
    if len(venue.exchange.engine.open_orders(new.account, new.symbol)) >= ORDERS_MAX:
        raise OrderRefused("INVALID_REQUEST", "too many open orders")
    return Wanted(new, end_ms)


def _configuration(asked: Asked) -> tuple[str, Mapping[str, object]]:
    """Return the one configuration that is named, with its fields."""
    found = asked.body.get("order_configuration")
    if isinstance(found, dict) and len(cast("dict[str, object]", found)) == 1:
        name, fields = next(iter(cast("dict[str, object]", found).items()))
        if isinstance(fields, dict):
            return name, cast("dict[str, object]", fields)
    raise OrderRefused("INVALID_REQUEST", "exactly one order configuration is required")


def _market(
    owner: tuple[str, str], ware: Ware, side: Side, fields: Mapping[str, object]
) -> NewOrder:
    quote, base = (_text(fields, name) for name in ("quote_size", "base_size"))
    if bool(quote) == bool(base):
        raise OrderRefused("INVALID_REQUEST", "either base_size or quote_size is required")
    size = number_of(fields, "quote_size" if quote else "base_size", _refuse)
    return NewOrder(
        *owner,
        ware.listing.venue_symbol,
        side,
        Kind.MARKET,
        ZERO if quote else size,
        quote=size if quote else ZERO,
    )


def _limit(
    owner: tuple[str, str],
    ware: Ware,
    side: Side,
    name: str,
    fields: Mapping[str, object],
) -> NewOrder:
    base, price = (number_of(fields, it, _refuse) for it in ("base_size", "limit_price"))
    kind, stop_price = Kind.LIMIT, ZERO
    if name.startswith("stop_limit"):
        stop_price = number_of(fields, "stop_price", _refuse)
        is_down = DIRECTIONS.get(_text(fields, "stop_direction"))
        if is_down is None:
            raise OrderRefused("INVALID_REQUEST", "stop_direction is required")
        kind = conditional(side, is_down=is_down)
    elif fields.get("post_only") is True:
        kind = Kind.LIMIT_MAKER
    return NewOrder(
        *owner,
        ware.listing.venue_symbol,
        side,
        kind,
        base,
        price,
        stop_price,
        lasting=LIMITS[name],
    )


def _end_ms(venue: CoinbaseDialect, fields: Mapping[str, object]) -> int:
    found = read_time(_text(fields, "end_time"))
    if found is None or found <= venue.exchange.now_ms():
        raise OrderRefused("INVALID_REQUEST", "end_time must be a time to come")
    return found


def _text(fields: Mapping[str, object], name: str) -> str:
    return text_of(fields, name, _refuse)


def _refuse(complaint: str) -> Exception:
    return OrderRefused("INVALID_REQUEST", complaint)
