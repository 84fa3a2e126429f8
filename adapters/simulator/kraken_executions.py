"""Kraken's private channels: what happened to an account's orders and balances.

Updates are sparse: only the first event of an order carries its symbol, side and size.

Source: "Executions" and "Balances" of "Spot WebSocket v2", 2026-05-27; frames of 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from actors.messages import OrderStatus
from actors.pure.matching_orders import (
    CONDITIONAL,
    ZERO,
    Fill,
    Kind,
    Lasting,
    Order,
    Report,
    Step,
)
from actors.pure.matching_wallets import Holding
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_frames import SIDE_WORDS, Body, number, stamp
from adapters.simulator.kraken_names import (
    BALANCE_DECIMALS,
    COST_DECIMALS,
    base_decimals,
    price_decimals,
)
from adapters.simulator.kraken_papers import (
    EXPIRED,
    REQUESTED,
    UNFILLED,
    Paper,
    exec_id_of,
    ledger_id_of,
)
from adapters.simulator.kraken_rules import KIND_WORDS

TRANSITIONS: Final = frozenset({"new", "filled", "canceled", "expired", "trade"})


def rows_of(report: Report, paper: Paper, ware: Ware) -> list[Body]:
    """Return the events that tell one step of an order's life, oldest first."""
    match report.step:
        case Step.NEW:
            return [_pending(report, paper, ware), _sparse(report, paper, "new", "new")]
        case Step.TRIGGERED:
            row = _sparse(report, paper, "status", "new")
            return [row | {"triggers": _triggers(paper.order, ware, is_triggered=True)}]
        case Step.AMENDED:
            row = _sparse(report, paper, "amended", _working(report))
            return [row | _amended(report, paper, ware)]
        case Step.TRADE:
            return (
                [] if report.fill is None else _fill_rows(report, report.fill, paper, ware)
            )
        case Step.CANCELED | Step.EXPIRED:
            word = "expired" if paper.reason == EXPIRED else "canceled"
            reason = paper.reason or UNFILLED
            row = _sparse(report, paper, word, word) | _totals(report, paper, ware)
            return [row | {"cancel_reason": reason, "reason": reason}]


def snapshot_row(paper: Paper, ware: Ware) -> Body:
    """Return one open order as a new subscription is shown it."""
    order = paper.order
    is_partly = order.status is OrderStatus.PARTIALLY_FILLED
    return _whole(paper, ware) | {
        "exec_type": "trade" if is_partly else "new",
        "order_status": "partially_filled" if is_partly else "new",
        "cum_qty": number(order.filled_base, base_decimals(ware)),
        "cum_cost": number(order.filled_quote, COST_DECIMALS),
        "avg_price": number(paper.average, price_decimals(ware)),
        "timestamp": stamp(order.updated_ms),
    }


def snapshot_fill(paper: Paper, fill: Fill, ware: Ware) -> Body:
    """Return one earlier fill as a new subscription is shown it."""
    return _execution(paper, fill, ware) | {
        "order_status": "filled" if not paper.order.remaining else "partially_filled"
    }


def _pending(report: Report, paper: Paper, ware: Ware) -> Body:
    return _whole(paper, ware) | {
        "cum_cost": number(ZERO, COST_DECIMALS),
        "exec_type": "pending_new",
        "order_status": "pending_new",
        "fee_usd_equiv": number(ZERO, COST_DECIMALS),
        "timestamp": stamp(report.at_ms),
    }


def _whole(paper: Paper, ware: Ware) -> Body:
    """Return what an order is, as its first event says it."""
    order, places = paper.order, price_decimals(ware)
    body: Body = _ids(paper) | {
        "symbol": ware.listing.symbol,
        "side": SIDE_WORDS[order.side],
        "order_type": KIND_WORDS[order.kind],
        "time_in_force": _lasting(paper),
        "fee_ccy_pref": "fcib" if "fcib" in paper.flags else "fciq",
    }
    if order.quote:
        body["cash_order_qty"] = number(order.quote, COST_DECIMALS)
    else:
        body["order_qty"] = number(order.base, base_decimals(ware))
    if order.kind is not Kind.MARKET:
        body |= {"limit_price_type": "static", "limit_price": number(order.price, places)}
    if order.kind is Kind.LIMIT_MAKER:
        body["post_only"] = True
    if order.kind in CONDITIONAL:
        is_triggered = order.working_ms >= 0
        body["stop_price"] = number(order.stop_price, places)
        body["triggers"] = _triggers(order, ware, is_triggered=is_triggered)
    return body


def _triggers(order: Order, ware: Ware, *, is_triggered: bool) -> Body:
    return {
        "reference": "last",
        "price": number(order.stop_price, price_decimals(ware)),
        "price_type": "static",
        "status": "triggered" if is_triggered else "untriggered",
    }


def _lasting(paper: Paper) -> str:
    if paper.expires_ms:
        return "GTD"
    return {Lasting.GTC: "GTC", Lasting.IOC: "IOC", Lasting.FOK: "FOK"}[paper.order.lasting]


def _ids(paper: Paper) -> Body:
    body: Body = {"order_id": paper.txid, "order_userref": paper.userref}
    if paper.cl_ord_id is not None:
        body["cl_ord_id"] = paper.cl_ord_id
    return body


def _sparse(report: Report, paper: Paper, exec_type: str, status: str) -> Body:
    return {
        "timestamp": stamp(report.at_ms),
        "order_status": status,
        "exec_type": exec_type,
        **_ids(paper),
    }


def _working(report: Report) -> str:
    return "partially_filled" if report.filled_base else "new"


def _amended(report: Report, paper: Paper, ware: Ware) -> Body:
    order = paper.order
    return {
        "amended": True,
        "reason": REQUESTED,
        "order_qty": number(order.base, base_decimals(ware)),
        "limit_price": number(order.price, price_decimals(ware)),
        "limit_price_type": "static",
        "cum_qty": number(report.filled_base, base_decimals(ware)),
    }


def _totals(report: Report, paper: Paper, ware: Ware) -> Body:
    average = report.filled_quote / report.filled_base if report.filled_base else Decimal(0)
    return {
        "cum_qty": number(report.filled_base, base_decimals(ware)),
        "cum_cost": number(report.filled_quote, COST_DECIMALS),
        "fee_usd_equiv": number(paper.fee, COST_DECIMALS),
        "avg_price": number(average, price_decimals(ware)),
    }


def _fill_rows(report: Report, fill: Fill, paper: Paper, ware: Ware) -> list[Body]:
    """Return a fill; as the venue does, even the last one says "partially_filled"."""
    totals = _totals(report, paper, ware)
    fee = number(fill.fee, COST_DECIMALS)
    row = _execution(paper, fill, ware) | totals
    rows = [row | {"order_status": "partially_filled", "fee_usd_equiv": fee}]
    if report.status is OrderStatus.FILLED:
        rows.append(_sparse(report, paper, "filled", "filled") | totals)
    return rows


def _execution(paper: Paper, fill: Fill, ware: Ware) -> Body:
    trade = fill.trade
    return _ids(paper) | {
        "exec_id": exec_id_of(fill),
        "exec_type": "trade",
        "trade_id": trade.trade_id,
        "symbol": ware.listing.symbol,
        "side": SIDE_WORDS[fill.side],
        "last_qty": number(trade.base, base_decimals(ware)),
        "last_price": number(trade.price, price_decimals(ware)),
        "liquidity_ind": "m" if fill.is_maker else "t",
        "cost": number(trade.price * trade.base, COST_DECIMALS),
        "order_type": KIND_WORDS[paper.order.kind],
        "timestamp": stamp(trade.trade_ms),
        "fees": [{"asset": fill.fee_asset, "qty": number(fill.fee, COST_DECIMALS)}],
    }


def balance_rows(holdings: Mapping[str, Holding]) -> list[Body]:
    """Return the balances as a new subscription is shown them: totals, holds and all."""
    rows: list[Body] = []
    for asset, held in holdings.items():
        total = number(held.free + held.locked, BALANCE_DECIMALS)
        wallet = {"type": "spot", "id": "main", "balance": total}
        rows.append(
            {
                "asset": asset,
                "asset_class": "currency",
                "balance": total,
                "wallets": [wallet],
            }
        )
    return rows


def ledger_row(
    fill: Fill, asset: str, change: Decimal, fee: Decimal, after: Decimal
) -> Body:
    """Return one of the two changes of balance that a fill makes."""
    return {
        "ledger_id": ledger_id_of(fill, asset),
        "ref_id": exec_id_of(fill),
        "timestamp": stamp(fill.trade.trade_ms),
        "type": "trade",
        "asset": asset,
        "asset_class": "currency",
        "category": "trade",
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": number(change, BALANCE_DECIMALS),
        "fee": number(fee, BALANCE_DECIMALS),
        "balance": number(after, BALANCE_DECIMALS),
    }
