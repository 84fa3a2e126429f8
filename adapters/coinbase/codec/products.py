"""Read the products: what trades here, under which name, in which steps.

"BTC-USD" is mapped by base_currency and quote_currency, never by cutting strings. The
smallest notional holds for limit orders, too; sizes have no bound but the increment since
2022-06-30, and older bodies that still tell one are believed.

Source: Exchange REST, "Get all trading pairs"; changelog to 2026-02-02.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import attrs
import msgspec

from actors.messages import Instrument, OrderType
from adapters.coinbase.codec.feed import EXCHANGE
from adapters.figures import UNREADABLE, BadFigure, Figure, Word, amount, bad

_POST_ONLY: Final = frozenset({OrderType.LIMIT_MAKER.value})
_LIMITED: Final = frozenset({kind.value for kind in OrderType if kind.is_limited})
_ALL: Final = frozenset({kind.value for kind in OrderType})
_read = lru_cache(4096)(amount)


class Product(msgspec.Struct):
    id: Word
    base_currency: Word
    quote_currency: Word
    quote_increment: Figure
    base_increment: Figure = "0"
    min_market_funds: Figure = "0"
    max_market_funds: Figure = "0"
    base_min_size: Figure = "0"
    base_max_size: Figure = "0"
    status: Word = "online"
    post_only: bool = False
    limit_only: bool = False
    cancel_only: bool = False
    trading_disabled: bool = False


@attrs.frozen
class Products:
    instruments: tuple[Instrument, ...]
    refused: tuple[str, ...]  # that we cannot read, and why: one must not blind us to all
    delisted: frozenset[str] = frozenset()  # ids that are shown, and nowhere else accepted


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_product = msgspec.json.Decoder(Product)


def decode_products(body: bytes) -> Products:
    """Return the body of GET /products.

    Raises:
      RemoteProtocolError: it is no list.
    """
    try:
        rows = _rows.decode(body)
    except UNREADABLE as error:
        raise bad("products", body, error) from error
    found: list[Instrument] = []
    refused: list[str] = []
    delisted: set[str] = set()
    for row in rows:
        try:
            product = _product.decode(row)
            found.append(_instrument(product))
        except UNREADABLE as error:
            refused.append(f"{bytes(row)[:60]!a}: {error}")
        else:
            delisted |= {product.id} if product.status == "delisted" else set()
    return Products(tuple(found), tuple(refused), frozenset(delisted))


def _instrument(product: Product) -> Instrument:
    base, quote = product.base_currency, product.quote_currency
    for name in (base, quote):
        if not (name.isascii() and name.isalnum()):
            raise BadFigure("a name that is not plain ASCII; no config can mean it")
    is_shut = product.cancel_only or product.trading_disabled
    return Instrument(
        exchange=EXCHANGE,
        symbol=f"{base}/{quote}",
        venue_symbol=product.id,
        base_asset=base,
        quote_asset=quote,
        is_trading=product.status == "online" and not is_shut,
        tick=_read(product.quote_increment),
        lot=_read(product.base_increment),
        base_min=_read(product.base_min_size),
        base_max=_read(product.base_max_size),
        market_base_max=amount("0"),
        quote_min=_read(product.min_market_funds),
        quote_max=_read(product.max_market_funds),
        is_quote_min_for_market=True,
        price_min=amount("0"),
        price_max=amount("0"),
        order_types=_order_types(product),
    )


def _order_types(product: Product) -> frozenset[str]:
    if product.post_only:
        return _POST_ONLY
    return _LIMITED if product.limit_only else _ALL
