"""Exchange's signed endpoints: orders, fills, balances and fees of one profile.

An order that ended without a fill is not found any more, as the venue purges it.

Source: WIRE 3.7, 3.9 and 3.10; docs.cdp.coinbase.com "Exchange REST API", 2025-05.
"""

from __future__ import annotations

from typing import Final

from actors.pure.matching_orders import Kind, Lasting, NewOrder, Order, Rejection
from adapters.simulator import coinbase_bodies as bodies
from adapters.simulator.coinbase_asked import Asked, Page
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_faults import (
    ALREADY_DONE,
    NO_ORDER,
    NOT_FOUND,
    REJECTED,
    Refused,
)
from adapters.simulator.coinbase_orders import (
    ORDERS_MAX,
    SIDES,
    UNNAMED,
    breach,
    conditional,
)
from adapters.simulator.coinbase_texts import UUID4_TEXT, UUID_TEXT, order_number
from adapters.simulator.exchange import Ware
from adapters.simulator.timeframes import DAY_MS, HOUR_MS, MINUTE_MS

PAGE_MAX: Final = 1000
PAGE: Final = 100
LASTING: Final = {
    "GTC": Lasting.GTC,
    "GTT": Lasting.GTC,
    "IOC": Lasting.IOC,
    "FOK": Lasting.FOK,
}
CANCEL_AFTER_MS: Final = {"min": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS}
BREACHES: Final = {
    "price_precision": "price too precise",
    "price_max": "Invalid price",
    "size_precision": "size too precise",
    "size_min": "size is too small",
    "size_max": "size is too large",
    "funds_precision": "funds too precise",
    "funds_min": "funds is too small",
    "funds_max": "funds is too large",
}


def place(venue: CoinbaseDialect, asked: Asked) -> object:
    """Take an order; the answer is of the moment before anything happened to it."""
    client_oid = asked.maybe("client_oid")
    if not UUID4_TEXT.fullmatch(client_oid):
        client_oid = ""  # the venue ignores what is no UUID
    venue.count_asked(asked.account, client_oid)
    ware = venue.products.get(asked.text("product_id"))
    if ware is None:
        raise Refused(400, "Product not found")
    new = _new_order(venue, ware, asked, client_oid)
    lasting = asked.maybe("time_in_force") or "GTC"
    if len(venue.exchange.engine.open_orders(new.account, new.symbol)) >= ORDERS_MAX:
        raise Refused(400, "Too many open orders")
    result = venue.exchange.place(new)
    if result is Rejection.WOULD_MATCH:
        return bodies.rejected(venue, new, "post only")
    if isinstance(result, Rejection):
        raise Refused(*REJECTED[result])
    if lasting == "GTT":
        venue.ends[result.order_id] = result.created_ms + _cancel_after_ms(asked)
    return bodies.order(venue, result, is_new=True)


def query(venue: CoinbaseDialect, asked: Asked) -> object:
    placed = _find(venue, asked)
    found = None if placed is None else venue.exchange.store.seen(placed)
    if found is None or bodies.is_purged(found):
        raise Refused(*NOT_FOUND)
    return bodies.order(venue, found)


def cancel(venue: CoinbaseDialect, asked: Asked) -> object:
    """Cancel one order and return its id."""
    found = _find(venue, asked)
    product = asked.one("product_id")
    if (
        found is None
        or bodies.is_purged(found)
        or (product and bodies.product_of(venue, found) != product)
    ):
        raise Refused(*NO_ORDER)
    if not found.is_open:
        raise Refused(*ALREADY_DONE)
    venue.exchange.cancel(found, "")
    return bodies.id_of(found)


def cancel_all(venue: CoinbaseDialect, asked: Asked) -> object:
    """Cancel every order, or every one of a product, and return their ids."""
    product = asked.one("product_id")
    found = [
        order
        for order in venue.exchange.engine.open_orders(asked.account)
        if product in {"", bodies.product_of(venue, order)}
    ]
    for order in found:
        venue.exchange.cancel(order, "")
    return [bodies.id_of(order) for order in found]


def orders(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return orders, newest first: the open ones, or those of the wanted states."""
    wanted = set(asked.many("status")) or {"open", "pending", "active"}
    product = asked.one("product_id")
    start_ms, end_ms = asked.time("start_date"), asked.time("end_date")
    newer, older = asked.whole("before"), asked.whole("after")
    found = [
        it
        for it in reversed(list(venue.exchange.store.orders(asked.account)))
        if not bodies.is_purged(it)
        and ("all" in wanted or bodies.status(it) in wanted)
        and product in {"", bodies.product_of(venue, it)}
        and (start_ms or 0) <= it.created_ms <= (end_ms or it.created_ms)
        and (newer is None or it.order_id > newer)
        and (older is None or it.order_id < older)
    ][: asked.limit(PAGE, PAGE_MAX)]
    rows = [bodies.order(venue, it) for it in found]
    if not found:
        return Page([])
    return Page(rows, str(found[0].order_id), str(found[-1].order_id))


def fills(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return the fills of an order or of a product, newest first."""
    order_id, product = asked.one("order_id"), asked.one("product_id")
    if not order_id and not product:
        raise Refused(400, "either order_id or product_id is required")
    start_ms, end_ms = asked.time("start_date"), asked.time("end_date")
    newer, older = asked.whole("before"), asked.whole("after")
    rows = [
        bodies.fill(venue, it)
        for it in reversed(venue.fills_of(asked.account))
        if order_id in {"", bodies.id_of(it.order)}
        and product in {"", bodies.product_of(venue, it.order)}
        and (start_ms or 0) <= it.fill.trade.trade_ms
        and (end_ms is None or it.fill.trade.trade_ms <= end_ms)
        and (newer is None or it.fill.trade.trade_id > newer)
        and (older is None or it.fill.trade.trade_id < older)
    ][: asked.limit(PAGE, PAGE_MAX)]
    if not rows:
        return Page([])
    return Page(rows, str(rows[0]["trade_id"]), str(rows[-1]["trade_id"]))


def accounts(venue: CoinbaseDialect, asked: Asked) -> object:
    return bodies.accounts(venue, asked.account)


def account(venue: CoinbaseDialect, asked: Asked) -> object:
    for row in bodies.accounts(venue, asked.account):
        if row["id"] == asked.parts[0]:
            return row
    raise Refused(*NOT_FOUND)


def fees(venue: CoinbaseDialect, asked: Asked) -> object:
    config = venue.exchange.config
    return {
        "taker_fee_rate": f"{config.taker_fee:.4f}",
        "maker_fee_rate": f"{config.maker_fee:.4f}",
        "usd_volume": f"{venue.traded_quote(asked.account):.2f}",
    }


def verify(venue: CoinbaseDialect, asked: Asked) -> object:
    return {"id": bodies.profile_of(asked.account)}


def _new_order(
    venue: CoinbaseDialect, ware: Ware, asked: Asked, client_oid: str
) -> NewOrder:
    side = SIDES.get(asked.text("side"))
    if side is None:
        raise Refused(400, "Invalid side")
    kind, lasting = _kind(asked)
    stop, stop_price = asked.maybe("stop"), None
    if stop:
        if stop not in {"loss", "entry"} or kind is not Kind.LIMIT:
            raise Refused(400, "Invalid stop")
        kind = conditional(side, is_down=stop == "loss")
        stop_price = asked.number("stop_price")
    is_funds = kind is Kind.MARKET and bool(asked.maybe("funds"))
    quote = asked.number("funds") if is_funds else None
    base = None if is_funds else asked.number("size")
    price = None if kind is Kind.MARKET else asked.number("price")
    prices = tuple(it for it in (price, stop_price) if it is not None)
    new = NewOrder(
        asked.account,
        client_oid or f"{UNNAMED}{venue.next_unnamed()}",
        ware.listing.venue_symbol,
        side,
        kind,
        base or bodies.ZERO,
        price or bodies.ZERO,
        stop_price or bodies.ZERO,
        quote or bodies.ZERO,
        lasting,
    )
    broken = breach(ware, kind, new.base, new.quote, prices)
    if broken:
        raise Refused(400, BREACHES[broken])
    return new


def _kind(asked: Asked) -> tuple[Kind, Lasting]:
    kind = asked.maybe("type") or "limit"
    if kind == "market":
        return Kind.MARKET, Lasting.GTC
    if kind != "limit":
        raise Refused(400, "Invalid order type")
    word = asked.maybe("time_in_force") or "GTC"
    lasting = LASTING.get(word)
    if lasting is None:
        raise Refused(400, "Invalid time_in_force")
    if (word == "GTT") != bool(asked.maybe("cancel_after")):
        raise Refused(400, "cancel_after goes with GTT")
    if not asked.flag("post_only"):
        return Kind.LIMIT, lasting
    if lasting is not Lasting.GTC:
        raise Refused(400, f"post_only is invalid with {word}")
    return Kind.LIMIT_MAKER, lasting


def _cancel_after_ms(asked: Asked) -> int:
    return CANCEL_AFTER_MS.get(asked.text("cancel_after"), DAY_MS)


def _find(venue: CoinbaseDialect, asked: Asked) -> Order | None:
    """Return the order that the path names by its id, or by its owner's id."""
    named = asked.parts[0]
    if named.startswith("client:"):
        key = (asked.account, named.removeprefix("client:"))
        found = next(reversed(venue.exchange.engine.by_client.get(key, [])), None)
    else:
        if not UUID_TEXT.fullmatch(named):
            raise Refused(400, "Invalid order id")
        found = venue.exchange.engine.orders.get(order_number(named) or 0)
    return found if found is not None and found.account == asked.account else None
