"""Kraken's REST bodies about orders, fills and balances, from the engine's records.

Written from the documentation and not with the codec's writers, so that the codec's
readers meet somebody else's reading. Source: "Get Open Orders", "Get Trades History",
"Get Extended Balance", 2026-05-27.
"""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Side
from actors.pure.matching_orders import CONDITIONAL, ZERO, Fill
from actors.pure.matching_wallets import Holding
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_names import (
    BALANCE_DECIMALS,
    COST_DECIMALS,
    Name,
    base_decimals,
    code,
    price_decimals,
)
from adapters.simulator.kraken_papers import UNFILLED, Paper, exec_id_of
from adapters.simulator.kraken_rules import KIND_WORDS, Wanted

Body = dict[str, object]
SIDE_WORDS = {Side.BUY: "buy", Side.SELL: "sell"}


def fixed(number: Decimal, decimals: int) -> str:
    return f"{number:.{decimals}f}"


def cost(number: Decimal) -> str:
    return fixed(number, COST_DECIMALS)


def seconds(at_ms: int) -> float:
    return at_ms / 1000


def described(ware: Ware, name: Name, wanted: Wanted) -> str:
    """Return the sentence that repeats an order in words."""
    size = fixed(wanted.quote or wanted.base, base_decimals(ware))
    return _sentence(
        ware, name, KIND_WORDS[wanted.kind], SIDE_WORDS[wanted.side], size,
        wanted.price, wanted.stop_price,
    )  # fmt: skip


def _sentence(
    ware: Ware,
    name: Name,
    kind: str,
    side: str,
    size: str,
    price: Decimal,
    stop_price: Decimal,
) -> str:
    places = price_decimals(ware)
    text = f"{side} {size} {name.altname} @ "
    if kind == "market":
        return text + "market"
    limit = f"limit {fixed(price, places)}"
    if not stop_price:
        return text + limit
    words = kind.removesuffix("-limit").replace("-", " ")
    return f"{text}{words} {fixed(stop_price, places)} -> {limit}"


def order(paper: Paper, ware: Ware, name: Name, *, with_trades: bool) -> Body:
    """Return one order as queries and lists show it."""
    it, places = paper.order, price_decimals(ware)
    body: Body = {
        "refid": None,
        "userref": paper.userref,
        "status": paper.status,
        "opentm": seconds(it.created_ms),
        "starttm": 0,
        "expiretm": paper.expires_ms // 1000,
        "descr": _descr(paper, ware, name),
        "vol": fixed(it.base, base_decimals(ware)),
        "vol_exec": fixed(it.filled_base, base_decimals(ware)),
        "cost": cost(it.filled_quote),
        "fee": cost(paper.fee),
        "price": fixed(paper.average, places),
        "stopprice": fixed(ZERO, places),
        "limitprice": fixed(ZERO, places),
        "misc": "",
        "oflags": paper.flags,
    }
    if paper.cl_ord_id is not None:
        body["cl_ord_id"] = paper.cl_ord_id
    if it.kind in CONDITIONAL:
        body["trigger"] = "last"
        body["stopprice"] = fixed(it.stop_price, places)
    if with_trades and it.fills:
        body["trades"] = [exec_id_of(fill) for fill in it.fills]
    if not it.is_open:
        body["closetm"] = seconds(it.updated_ms)
        body["reason"] = None if paper.status == "closed" else paper.reason or UNFILLED
    return body


def _descr(paper: Paper, ware: Ware, name: Name) -> Body:
    it, places = paper.order, price_decimals(ware)
    is_conditional = it.kind in CONDITIONAL
    first, second = (it.stop_price, it.price) if is_conditional else (it.price, ZERO)
    kind, side = KIND_WORDS[it.kind], SIDE_WORDS[it.side]
    size = fixed(it.base or it.quote, base_decimals(ware))
    return {
        "pair": name.altname,
        "type": side,
        "ordertype": kind,
        "price": fixed(first, places) if first else "0",
        "price2": fixed(second, places) if second else "0",
        "leverage": "none",
        "order": _sentence(ware, name, kind, side, size, it.price, it.stop_price),
        "close": "",
    }


def own_trade(paper: Paper, fill: Fill, ware: Ware, name: Name) -> Body:
    """Return one fill as the history shows it."""
    trade = fill.trade
    return {
        "ordertxid": paper.txid,
        "postxid": "",
        "pair": name.pair,
        "time": seconds(trade.trade_ms),
        "type": SIDE_WORDS[fill.side],
        "ordertype": KIND_WORDS[paper.order.kind],
        "price": fixed(trade.price, price_decimals(ware)),
        "cost": cost(trade.price * trade.base),
        "fee": cost(fill.fee),
        "vol": fixed(trade.base, base_decimals(ware)),
        "margin": cost(ZERO),
        "leverage": "0",
        "misc": "",
        "trade_id": trade.trade_id,
        "maker": fill.is_maker,
    }


def balances(holdings: dict[str, Holding]) -> Body:
    return {
        code(asset): fixed(held.free + held.locked, BALANCE_DECIMALS)
        for asset, held in holdings.items()
    }


def extended_balances(holdings: dict[str, Holding]) -> Body:
    return {
        code(asset): {
            "balance": fixed(held.free + held.locked, BALANCE_DECIMALS),
            "hold_trade": fixed(held.locked, BALANCE_DECIMALS),
        }
        for asset, held in holdings.items()
    }
