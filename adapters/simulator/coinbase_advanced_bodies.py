"""Advanced Trade's bodies about orders, fills and balances, from the engine's records.

Source: WIRE 3.12; documented and recorded examples of 2021-05 to 2026-04.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from actors.messages import OrderStatus, Side
from actors.pure.matching_orders import (
    CONDITIONAL,
    ZERO,
    Kind,
    Lasting,
    Order,
    Report,
)
from actors.pure.matching_wallets import Holding
from adapters.simulator.coinbase_orders import (
    ENDED_BY_TIME,
    client_oid,
    filled_fees,
    fires_down,
)
from adapters.simulator.coinbase_products import FIAT
from adapters.simulator.coinbase_texts import (
    micro,
    milli,
    named_uuid,
    nano,
    order_uuid,
    plain,
    product_id,
    sixteen,
)
from adapters.simulator.exchange import Exchange
from adapters.simulator.order_store import AccountFill

Body = dict[str, object]
WORDS: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
STATUS: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.OPEN: "OPEN",
    OrderStatus.PARTIALLY_FILLED: "OPEN",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELLED",
    OrderStatus.EXPIRED: "CANCELLED",  # the rest of what may not rest
}
TYPES: Final = {
    Kind.MARKET: "MARKET",
    Kind.LIMIT: "LIMIT",
    Kind.LIMIT_MAKER: "LIMIT",
    Kind.STOP_LOSS_LIMIT: "STOP_LIMIT",
    Kind.TAKE_PROFIT_LIMIT: "STOP_LIMIT",
}
LASTING_WORDS: Final = {
    Lasting.GTC: "GOOD_UNTIL_CANCELLED",
    Lasting.IOC: "IMMEDIATE_OR_CANCEL",
    Lasting.FOK: "FILL_OR_KILL",
}


def status(found: Order) -> str:
    is_over = found.cancel_id == ENDED_BY_TIME
    return "EXPIRED" if is_over else STATUS[found.status]


def as_of(report: Report) -> Order:
    """Return the order as it was right after one step of its life."""
    fills, filled = 0, ZERO
    while filled < report.filled_base:
        filled += report.order.fills[fills].trade.base
        fills += 1
    return attrs.evolve(
        report.order,
        status=report.status,
        filled_base=report.filled_base,
        filled_quote=report.filled_quote,
        fills=report.order.fills[:fills],
    )


def order(exchange: Exchange, found: Order, ends: Mapping[int, int]) -> Body:
    """Return an order as queries and lists show it."""
    edits: list[object] = []
    return _progress(found) | {
        "order_id": order_uuid(found.order_id),
        "product_id": product_id(exchange.wares[found.symbol].listing),
        "user_id": named_uuid("user", found.account),
        "order_configuration": configuration(found, ends),
        "side": WORDS[found.side],
        "client_order_id": client_oid(found),
        "time_in_force": _time_in_force(found, ends),
        "created_time": micro(found.created_ms),
        "fee": "",
        "pending_cancel": False,
        "size_in_quote": bool(found.quote),
        "size_inclusive_of_fees": bool(found.quote),
        "trigger_status": _trigger_status(found),
        "order_type": TYPES[found.kind],
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "" if found.is_open or not found.cancel_id else "User canceled",
        "order_placement_source": "RETAIL_ADVANCED",
        "is_liquidation": False,
        "edit_history": edits,
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": named_uuid("profile", found.account),
        "originating_order_id": "",
        "attached_order_id": "",
    }


def _progress(found: Order) -> Body:
    """Return how far an order has come."""
    fees = filled_fees(found)
    is_buy = found.side is Side.BUY
    average = found.filled_quote / found.filled_base if found.filled_base else ZERO
    return {
        "status": status(found),
        "completion_percentage": _completion(found),
        "filled_size": plain(found.filled_base),
        "average_filled_price": plain(average),
        "number_of_fills": str(len(found.fills)),
        "filled_value": plain(found.filled_quote),
        "total_fees": plain(fees),
        "total_value_after_fees": plain(found.filled_quote + (fees if is_buy else -fees)),
        "settled": found.status is OrderStatus.FILLED,
        "outstanding_hold_amount": plain(found.locked),
        "last_fill_time": micro(found.fills[-1].trade.trade_ms) if found.fills else None,
    }


def configuration(found: Order, ends: Mapping[int, int]) -> Body:
    """Return what was asked for, under the name of its kind."""
    end_ms = ends.get(found.order_id)
    if found.kind is Kind.MARKET:
        is_quote = bool(found.quote)
        size: Body = {"quote_size": plain(found.quote)} if is_quote else {}
        return {"market_market_ioc": size or {"base_size": plain(found.base)}}
    fields: Body = {"base_size": plain(found.base), "limit_price": plain(found.price)}
    if end_ms is not None:
        fields["end_time"] = micro(end_ms)
    if found.kind in CONDITIONAL:
        down = fires_down(found.kind, found.side)
        fields["stop_price"] = plain(found.stop_price)
        fields["stop_direction"] = f"STOP_DIRECTION_STOP_{'DOWN' if down else 'UP'}"
        return {f"stop_limit_stop_limit_{_ending(end_ms)}": fields}
    if found.lasting is Lasting.IOC:
        return {"sor_limit_ioc": fields}
    if found.lasting is Lasting.FOK:
        return {"limit_limit_fok": fields}
    fields["post_only"] = found.kind is Kind.LIMIT_MAKER
    return {f"limit_limit_{_ending(end_ms)}": fields}


def fill(exchange: Exchange, found: AccountFill) -> Body:
    """Return one fill as the list of fills shows it."""
    trade, it = found.fill.trade, found.fill
    names = (trade.symbol, str(trade.trade_id), str(it.order_id))
    return {
        "entry_id": named_uuid("entry", *names).replace("-", "") * 2,
        "trade_id": named_uuid("trade", *names),
        "order_id": order_uuid(it.order_id),
        "trade_time": nano(trade.trade_ms),
        "trade_type": "FILL",
        "price": plain(trade.price),
        "size": plain(trade.base),
        "commission": plain(it.fee),
        "product_id": product_id(exchange.wares[trade.symbol].listing),
        "sequence_timestamp": micro(trade.trade_ms),
        "liquidity_indicator": "MAKER" if it.is_maker else "TAKER",
        "size_in_quote": False,
        "user_id": named_uuid("user", found.order.account),
        "side": WORDS[it.side],
        "retail_portfolio_id": named_uuid("profile", found.order.account),
    }


def account(name: str, asset: str, held: Holding, now_ms: int) -> Body:
    """Return what an account holds of one asset."""
    return {
        "uuid": named_uuid("account", name, asset),
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": sixteen(held.free), "currency": asset},
        "default": True,
        "active": True,
        "created_at": milli(0),
        "updated_at": milli(now_ms),
        "deleted_at": None,
        "type": f"ACCOUNT_TYPE_{'FIAT' if asset in FIAT else 'CRYPTO'}",
        "ready": True,
        "hold": {"value": sixteen(held.locked), "currency": asset},
        "retail_portfolio_id": named_uuid("profile", name),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def wallet(name: str, asset: str, held: Holding, now_ms: int) -> Body:
    """Return an account as /v2 shows it."""
    uuid = named_uuid("account", name, asset)
    return {
        "id": uuid,
        "name": f"{asset} Wallet",
        "primary": False,
        "type": "fiat" if asset in FIAT else "wallet",
        "currency": {"code": asset, "name": FIAT.get(asset, asset)},
        "balance": {"amount": sixteen(held.free + held.locked), "currency": asset},
        "created_at": milli(0),
        "updated_at": milli(now_ms),
        "resource": "account",
        "resource_path": f"/v2/accounts/{uuid}",
    }


def _ending(end_ms: int | None) -> str:
    return "gtc" if end_ms is None else "gtd"


def _time_in_force(found: Order, ends: Mapping[int, int]) -> str:
    if found.kind is Kind.MARKET:
        return "IMMEDIATE_OR_CANCEL"
    if found.order_id in ends:
        return "GOOD_UNTIL_DATE_TIME"
    return LASTING_WORDS[found.lasting]


def _completion(found: Order) -> str:
    if found.status is OrderStatus.FILLED:
        return "100"
    whole = found.quote or found.base
    done = found.filled_quote if found.quote else found.filled_base
    return plain((done / whole * 100).quantize(ZERO + 1)) if whole else "0"


def _trigger_status(found: Order) -> str:
    if found.kind not in CONDITIONAL:
        return "INVALID_ORDER_TYPE"
    return "STOP_PENDING" if found.working_ms < 0 else "STOP_TRIGGERED"
