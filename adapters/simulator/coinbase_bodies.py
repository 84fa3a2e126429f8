"""Exchange's bodies about orders, fills and balances, from the engine's records.

Written anew and not with the codec's writers, so that the codec's readers meet somebody
else's reading of the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actors.messages import OrderStatus
from actors.pure.matching_orders import CONDITIONAL, ZERO, Kind, Lasting, NewOrder, Order
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_frames import SIDES
from adapters.simulator.coinbase_orders import client_oid, filled_fees, stop_word
from adapters.simulator.coinbase_texts import (
    eight,
    micro,
    named_uuid,
    order_uuid,
    plain,
    product_id,
    sixteen,
)
from adapters.simulator.order_store import AccountFill

Body = dict[str, object]
LASTING_WORDS: Final[Mapping[Lasting, str]] = {
    Lasting.GTC: "GTC",
    Lasting.IOC: "IOC",
    Lasting.FOK: "FOK",
}


def id_of(found: Order) -> str:
    return order_uuid(found.order_id)


def profile_of(account: str) -> str:
    return named_uuid("profile", account)


def product_of(venue: CoinbaseDialect, found: Order) -> str:
    return product_id(venue.exchange.wares[found.symbol].listing)


def is_purged(found: Order) -> bool:
    """Tell whether the venue has forgotten an order: it ended without a fill."""
    return not found.is_open and not found.fills


def status(found: Order) -> str:
    if not found.is_open:
        return "done"
    is_parked = found.kind in CONDITIONAL and found.working_ms < 0
    return "active" if is_parked else "open"


def order(venue: CoinbaseDialect, found: Order, *, is_new: bool = False) -> Body:
    """Return an order as it is, or (`is_new`) as it is answered before it does anything."""
    body: Body = {
        "id": id_of(found),
        "product_id": product_of(venue, found),
        "profile_id": profile_of(found.account),
        "side": SIDES[found.side],
        "type": "market" if found.kind is Kind.MARKET else "limit",
        "stp": "dc",
        "post_only": found.kind is Kind.LIMIT_MAKER,
        "created_at": micro(found.created_ms),
        "fill_fees": sixteen(ZERO if is_new else filled_fees(found)),
        "filled_size": eight(ZERO if is_new else found.filled_base),
        "executed_value": sixteen(ZERO if is_new else found.filled_quote),
        "market_type": "spot",
        "status": "pending" if is_new else status(found),
        "settled": not is_new and not found.is_open,
    }
    if found.quote:
        body |= {"funds": sixteen(found.quote), "specified_funds": sixteen(found.quote)}
    else:
        body["size"] = eight(found.base)
    if found.kind is not Kind.MARKET:
        is_ending = found.order_id in venue.ends
        word = "GTT" if is_ending else LASTING_WORDS[found.lasting]
        body |= {"price": eight(found.price), "time_in_force": word}
        if is_ending:
            body["expire_time"] = micro(venue.ends[found.order_id])
    if found.kind in CONDITIONAL:
        body |= {"stop": stop_word(found), "stop_price": eight(found.stop_price)}
    if client_oid(found):
        body["client_oid"] = client_oid(found)
    if not is_new and not found.is_open:
        is_filled = found.status is OrderStatus.FILLED
        body["done_at"] = micro(found.updated_ms)
        body["done_reason"] = "filled" if is_filled else "canceled"
    return body


def rejected(venue: CoinbaseDialect, new: NewOrder, reason: str) -> Body:
    """Return an order that was taken in and turned away; it leaves no trace."""
    ware = venue.exchange.wares[new.symbol]
    return {
        "id": named_uuid("rejected", new.account, new.client_order_id),
        "price": eight(new.price),
        "size": eight(new.base),
        "product_id": product_id(ware.listing),
        "profile_id": profile_of(new.account),
        "side": SIDES[new.side],
        "type": "limit",
        "time_in_force": "GTC",
        "post_only": True,
        "created_at": micro(venue.exchange.now_ms()),
        "fill_fees": sixteen(ZERO),
        "filled_size": eight(ZERO),
        "executed_value": sixteen(ZERO),
        "status": "rejected",
        "reject_reason": reason,
        "settled": True,
    }


def fill(venue: CoinbaseDialect, found: AccountFill) -> Body:
    """Return one fill as /fills lists it; the side is the order's."""
    trade, it = found.fill.trade, found.fill
    return {
        "created_at": micro(trade.trade_ms),
        "trade_id": trade.trade_id,
        "product_id": product_of(venue, found.order),
        "order_id": id_of(found.order),
        "user_id": named_uuid("user", found.order.account),
        "profile_id": profile_of(found.order.account),
        "liquidity": "M" if it.is_maker else "T",
        "price": eight(trade.price),
        "size": eight(trade.base),
        "fee": sixteen(it.fee),
        "side": SIDES[it.side],
        "settled": True,
        "usd_volume": sixteen(trade.price * trade.base),
        "market_type": "spot",
        "funding_currency": venue.exchange.wares[trade.symbol].listing.quote_asset,
    }


def accounts(venue: CoinbaseDialect, account: str) -> list[Body]:
    """Return what a profile holds of every asset."""
    return [
        {
            "id": named_uuid("account", account, asset),
            "currency": asset,
            "balance": sixteen(held.free + held.locked),
            "hold": sixteen(held.locked),
            "available": plain(held.free),
            "profile_id": profile_of(account),
            "trading_enabled": True,
            "pending_deposit": sixteen(ZERO),
            "display_name": asset,
        }
        for asset, held in venue.holdings(account)
    ]
