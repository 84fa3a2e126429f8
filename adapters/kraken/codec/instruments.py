"""Read AssetPairs: symbols with their filters, and all the names the venue has for them.

The venue lists each pair twice: with old names (XXBTZUSD of XXBT and ZUSD) and, asked with
`assetVersion=1`, with those that its WebSocket uses (BTC/USD). Both carry one `altname`,
and that joins them: a name is never cut into pieces.

Source: docs.kraken.com, "Get Tradable Asset Pairs", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs
import msgspec

from actors.messages import Instrument
from adapters.figures import UNREADABLE, BadFigure
from adapters.kraken.codec.numbers import ZERO, Word, amount
from adapters.kraken.codec.rest import decode_body
from adapters.kraken.codec.words import EXCHANGE, TYPE_WORD

ONE: Final = Decimal(1)
DECIMALS_MAX: Final = 30
ORDER_TYPES: Final = frozenset({kind.value for kind in TYPE_WORD})


class Pair(msgspec.Struct):
    altname: Word
    base: Word
    quote: Word
    pair_decimals: int
    lot_decimals: int
    wsname: Word = ""
    lot_multiplier: int = 1
    ordermin: Decimal = ZERO
    costmin: Decimal = ZERO
    tick_size: Decimal = ZERO
    status: Word = "online"


@attrs.frozen
class Listing:
    """What the venue lists, by canonical name; and its other names, each to ours."""

    instruments: Mapping[str, Instrument]
    symbols: Mapping[str, str]  # of pairs, whatever the venue calls them
    assets: Mapping[str, str]
    decimals: Mapping[str, tuple[int, int]]  # of price and of quantity
    refused: tuple[str, ...]  # pairs we cannot read, and why


_pairs = msgspec.json.Decoder(dict[str, msgspec.Raw])
_pair = msgspec.json.Decoder(Pair)


def decode_listing(new: msgspec.Raw, old: msgspec.Raw) -> Listing:
    """Return what two answers of AssetPairs say together: `new` has the names we use.

    Raises:
      RemoteProtocolError: a body as a whole is not what the documentation says.
    """
    refused: list[str] = []
    older = {pair.altname: (key, pair) for key, pair in _read(old, []).items()}
    instruments: dict[str, Instrument] = {}
    symbols: dict[str, str] = {}
    assets: dict[str, str] = {}
    decimals: dict[str, tuple[int, int]] = {}
    for key, pair in _read(new, refused).items():
        try:
            instrument = _instrument(pair)
        except UNREADABLE as error:
            refused.append(f"{key!a}: {error}")
            continue
        symbol = instrument.symbol
        instruments[symbol] = instrument
        decimals[symbol] = (pair.pair_decimals, pair.lot_decimals)
        old_key, old_pair = older.get(pair.altname, (key, pair))
        names = (symbol, key, pair.altname, pair.wsname, old_key)
        symbols.update(dict.fromkeys(filter(None, names), symbol))
        assets |= {old_pair.base: pair.base, old_pair.quote: pair.quote}
        assets |= {pair.base: pair.base, pair.quote: pair.quote}
    return Listing(instruments, symbols, assets, decimals, tuple(refused))


def _read(result: msgspec.Raw, refused: list[str]) -> dict[str, Pair]:
    """Return the pairs that can be read: one must not blind us to all."""
    found: dict[str, Pair] = {}
    for key, raw in decode_body(_pairs, "AssetPairs", result).items():
        try:
            found[key] = _pair.decode(raw)
        except UNREADABLE as error:
            refused.append(f"{key!a}: {error}")
    return found


def _instrument(pair: Pair) -> Instrument:
    for name in (pair.altname, pair.base, pair.quote):
        if not name.isascii() or not name.replace(".", "").isalnum():
            raise BadFigure("a name that is not plain ASCII; no config can mean it")
    for places in (pair.pair_decimals, pair.lot_decimals):
        if not 0 <= places <= DECIMALS_MAX:
            raise BadFigure(f"{places} decimals")
    lot = ONE.scaleb(-pair.lot_decimals) * max(1, pair.lot_multiplier)
    return Instrument(
        exchange=EXCHANGE,
        symbol=f"{pair.base}/{pair.quote}",
        venue_symbol=pair.altname,
        base_asset=pair.base,
        quote_asset=pair.quote,
        is_trading=pair.status == "online",
        tick=amount(pair.tick_size) or ONE.scaleb(-pair.pair_decimals),
        lot=lot,
        base_min=amount(pair.ordermin),
        base_max=ZERO,
        market_base_max=ZERO,
        quote_min=amount(pair.costmin),
        quote_max=ZERO,
        is_quote_min_for_market=True,
        price_min=ZERO,
        price_max=ZERO,
        order_types=ORDER_TYPES,
    )
