"""What an order on Kraken must be like, whichever door it comes by.

Source: "Add Order" of REST and of the WebSocket, "API Error Messages", 2026-08-25.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import Side
from actors.pure.matching_orders import CONDITIONAL, ZERO, Kind, Lasting, NewOrder
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_faults import (
    COST_MINIMUM,
    DEADLINE,
    MINIMUM,
    TICK,
    Refused,
    invalid,
    too_precise,
)
from adapters.simulator.kraken_names import decimals_of, price_decimals
from adapters.simulator.kraken_params import Params

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
KINDS: Final = {
    "market": Kind.MARKET,
    "limit": Kind.LIMIT,
    "stop-loss-limit": Kind.STOP_LOSS_LIMIT,
    "take-profit-limit": Kind.TAKE_PROFIT_LIMIT,
}
KIND_WORDS: Final = {kind: word for word, kind in KINDS.items()} | {
    Kind.LIMIT_MAKER: "limit"
}
LASTING: Final = {
    "gtc": Lasting.GTC,
    "gtd": Lasting.GTC,
    "ioc": Lasting.IOC,
    "fok": Lasting.FOK,
}
FLAGS: Final = frozenset({"post", "fcib", "fciq", "viqc", "nompp"})
DEADLINE_MAX_MS: Final = 60_000
_HEX32: Final = re.compile("[0-9a-fA-F]{32}", re.ASCII)
_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_FREE: Final = re.compile("[!-~]{1,18}", re.ASCII)


@attrs.frozen
class Wanted:
    """One order as a client asks for it."""

    ware: Ware
    side: Side
    kind: Kind
    base: Decimal = ZERO
    quote: Decimal = ZERO  # the size of a market order in quote instead
    price: Decimal = ZERO  # limit
    stop_price: Decimal = ZERO
    lasting: Lasting = Lasting.GTC
    expires_ms: int = 0
    cl_ord_id: str | None = None
    userref: int = 0
    flags: str = "fciq"
    is_only_tested: bool = False

    def new_order(self, account: str, client_order_id: str) -> NewOrder:
        return NewOrder(
            account=account,
            client_order_id=client_order_id,
            symbol=self.ware.listing.venue_symbol,
            side=self.side,
            kind=self.kind,
            base=self.base,
            price=self.price,
            stop_price=self.stop_price,
            quote=self.quote,
            lasting=self.lasting,
        )


def wanted_of(params: Params, ware: Ware, now_ms: int) -> Wanted:
    """Return the order that a REST request asks for.

    Raises:
      Refused: it makes no sense.
    """
    kind, side = KINDS.get(params.text("ordertype")), SIDES.get(params.text("type"))
    if side is None:
        raise invalid("type")
    if kind is None:
        raise invalid("ordertype")
    if params.maybe("leverage") not in {None, "none", "0"}:
        raise invalid("leverage")
    if params.maybe("close[ordertype]") is not None:
        raise invalid("close")
    flags = (params.maybe("oflags") or "fciq").split(",")
    check_deadline(params.maybe("deadline"), now_ms)
    size = params.number("volume")
    is_in_quote = "viqc" in flags
    return Wanted(
        ware=ware,
        side=side,
        kind=posted(kind, is_post="post" in flags),
        base=ZERO if is_in_quote else size,
        quote=size if is_in_quote else ZERO,
        **_prices(params, kind),
        lasting=lasting_of(params.maybe("timeinforce") or "GTC", kind),
        expires_ms=_expiry_ms(params, now_ms),
        cl_ord_id=params.maybe("cl_ord_id"),
        userref=params.whole("userref", 0),
        flags=",".join(flags),
        is_only_tested=params.is_true("validate"),
    )


def posted(kind: Kind, *, is_post: bool) -> Kind:
    """Return the kind of an order that must not take, if it must not."""
    if not is_post:
        return kind
    if kind is not Kind.LIMIT:
        raise invalid("post only is for limit orders")
    return Kind.LIMIT_MAKER


def lasting_of(word: str, kind: Kind) -> Lasting:
    found = LASTING.get(word.lower())
    if found is None:
        raise invalid("timeinforce")
    if found is not Lasting.GTC and kind is not Kind.LIMIT:
        raise invalid("timeinforce")
    return found


def check_deadline(text: str | None, now_ms: int) -> None:
    """Refuse what arrives later than its client would have it."""
    if text is None:
        return
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("deadline") from None
    deadline_ms = int(moment.timestamp() * 1000)
    if deadline_ms > now_ms + DEADLINE_MAX_MS:
        raise invalid("deadline")
    if deadline_ms < now_ms:
        raise Refused(DEADLINE)


def check(wanted: Wanted) -> None:
    """Refuse an order by the first rule of its symbol that it breaks.

    Raises:
      Refused: with the venue's own words.
    """
    _check_ids(wanted)
    _check_flags(wanted.flags.split(","))
    _check_prices(wanted)
    if wanted.quote:
        if wanted.kind is not Kind.MARKET or wanted.side is not Side.BUY:
            raise invalid("viqc")
        cost = wanted.quote
    else:
        cost = wanted.base * (wanted.price or wanted.ware.chart.last)
        _check_base(wanted)
    if cost < wanted.ware.listing.quote_min:
        raise Refused(COST_MINIMUM)


def _check_prices(wanted: Wanted) -> None:
    listing, places = wanted.ware.listing, price_decimals(wanted.ware)
    for price in (wanted.stop_price, wanted.price):
        if decimals_of(price) > places:
            raise too_precise(listing.symbol, places)
        if price % listing.tick or price > listing.price_max:
            raise Refused(TICK)
    if wanted.kind is not Kind.MARKET and not wanted.price:
        raise invalid("price")
    if wanted.kind in CONDITIONAL and not wanted.stop_price:
        raise invalid("price")


def _check_base(wanted: Wanted) -> None:
    listing, base = wanted.ware.listing, wanted.base
    if base < listing.base_min:
        raise Refused(MINIMUM)
    if base % listing.lot or base > listing.base_max:
        raise invalid("volume")


def _check_ids(wanted: Wanted) -> None:
    cl_ord_id = wanted.cl_ord_id
    if cl_ord_id is None:
        return
    if wanted.userref or not (
        _UUID.fullmatch(cl_ord_id)
        or _HEX32.fullmatch(cl_ord_id)
        or _FREE.fullmatch(cl_ord_id)
    ):
        raise invalid("cl_ord_id")


def _check_flags(flags: Collection[str]) -> None:
    if not FLAGS.issuperset(flags) or {"fcib", "fciq"} <= set(flags):
        raise invalid("oflags")


def _prices(params: Params, kind: Kind) -> dict[str, Decimal]:
    """Return limit and trigger: `price` is the trigger where there is one."""
    if kind is Kind.MARKET:
        return {}
    if kind in CONDITIONAL:
        return {"stop_price": params.number("price"), "price": params.number("price2")}
    return {"price": params.number("price")}


def _expiry_ms(params: Params, now_ms: int) -> int:
    text = params.maybe("expiretm") or "0"
    if params.maybe("starttm") not in {None, "0"}:
        raise invalid("starttm")
    if text == "0":
        if (params.maybe("timeinforce") or "").upper() == "GTD":
            raise invalid("expiretm")
        return 0
    if text.startswith("+"):
        return now_ms + Params({"expiretm": text[1:]}).whole("expiretm", 0) * 1000
    expires_ms = params.whole("expiretm", 0) * 1000
    if expires_ms <= now_ms:
        raise invalid("expiretm")
    return expires_ms
