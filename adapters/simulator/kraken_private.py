"""Kraken's private REST calls: orders, fills and balances of one account.

Source: the pages of "Account Data" and "Trading", 2026-08-25.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from actors.pure.matching_orders import Fill
from adapters.simulator import kraken_bodies as bodies
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_bodies import Body
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_faults import INVALID_ORDER, UNKNOWN_ORDER, Refused, invalid
from adapters.simulator.kraken_names import code
from adapters.simulator.kraken_papers import Paper, exec_id_of
from adapters.simulator.kraken_params import Params
from adapters.simulator.kraken_public import moment
from adapters.simulator.kraken_rules import wanted_of

PAGE: Final = 50
IDS_MAX: Final = 50
TRADE_IDS_MAX: Final = 20


def add_order(desk: Desk, account: str, params: Params) -> object:
    ware = params.ware(desk.names)
    wanted = wanted_of(params, ware, desk.exchange.told_ms())
    paper = desk.add(account, wanted)
    described = bodies.described(ware, desk.names.of(ware), wanted)
    body: Body = {"descr": {"order": described}}
    if paper is not None:
        body["txid"] = [paper.txid]
        if paper.cl_ord_id is not None:
            body["cl_ord_id"] = paper.cl_ord_id
    return body


def cancel_order(desk: Desk, account: str, params: Params) -> object:
    cl_ord_id = params.maybe("cl_ord_id")
    if cl_ord_id is not None:
        papers = [it for it in desk.open_papers(account) if it.cl_ord_id == cl_ord_id]
    else:
        papers = desk.named(account, params.text("txid"))
    if not papers:
        raise Refused(UNKNOWN_ORDER)
    for paper in papers:
        desk.cancel(paper)
    return {"count": len(papers)}


def cancel_all(desk: Desk, account: str, _params: Params) -> object:
    return {"count": desk.cancel_all(account)}


def cancel_all_after(desk: Desk, account: str, params: Params) -> object:
    at_ms = desk.cancel_after(account, params.whole("timeout", -1))
    return {
        "currentTime": moment(desk.exchange.told_ms()),
        "triggerTime": moment(at_ms) if at_ms else "0",
    }


def open_orders(desk: Desk, account: str, params: Params) -> object:
    return {"open": _orders(desk, _chosen(_open(desk, account), params), params)}


def closed_orders(desk: Desk, account: str, params: Params) -> object:
    """Return ended orders, the newest first, fifty at a time."""
    start_ms, end_ms = params.moment_ms("start") or 0, params.moment_ms("end")
    papers = [
        it
        for it in _chosen(_papers(desk, account), params)
        if not it.order.is_open
        and it.order.updated_ms >= start_ms
        and (end_ms is None or it.order.updated_ms <= end_ms)
    ]
    papers.sort(key=lambda it: (it.order.updated_ms, it.order.order_id), reverse=True)
    page = papers[_offset(params) :][:PAGE]
    return {"closed": _orders(desk, page, params), "count": len(papers)}


def query_orders(desk: Desk, account: str, params: Params) -> object:
    """Return the orders that are named; an id that nobody knows is passed over."""
    papers = _papers(desk, account)
    if "txid" in params:
        wanted = params.text("txid").split(",")
        if len(wanted) > IDS_MAX or any(len(it) != 19 for it in wanted):
            raise Refused(INVALID_ORDER)
        papers = [it for it in papers if it.txid in wanted]
    elif not ("cl_ord_id" in params or "userref" in params):
        raise invalid("txid")
    return _orders(desk, _chosen(papers, params), params)


def trades_history(desk: Desk, account: str, params: Params) -> object:
    """Return fills, the newest first, fifty at a time; a taker's joined by default."""
    start_ms, end_ms = params.moment_ms("start") or 0, params.moment_ms("end")
    fills = _fills(desk, account)
    if (params.maybe("consolidate_taker") or "true").lower() in {"true", "1"}:
        fills = _consolidated(fills)
    found = [
        (paper, fill)
        for paper, fill in fills
        if fill.trade.trade_ms >= start_ms
        and (end_ms is None or fill.trade.trade_ms <= end_ms)
    ]
    found.sort(key=lambda it: (it[1].trade.trade_ms, it[1].trade.trade_id), reverse=True)
    page = found[_offset(params) :][:PAGE]
    return {"trades": _trades(desk, page), "count": len(found)}


def query_trades(desk: Desk, account: str, params: Params) -> object:
    wanted = params.text("txid").split(",")
    if len(wanted) > TRADE_IDS_MAX:
        raise invalid("txid")
    found = [it for it in _fills(desk, account) if exec_id_of(it[1]) in wanted]
    return _trades(desk, found)


def balance(desk: Desk, account: str, _params: Params) -> object:
    return bodies.balances(desk.exchange.engine.wallets.holdings.get(account, {}))


def extended_balance(desk: Desk, account: str, _params: Params) -> object:
    holdings = desk.exchange.engine.wallets.holdings.get(account, {})
    return bodies.extended_balances(holdings)


def trade_volume(desk: Desk, account: str, params: Params) -> object:
    """Return what the account pays; the simulator has one tier."""
    del account
    config = desk.exchange.config
    rates = {"fees": config.taker_fee, "fees_maker": config.maker_fee}
    body: Body = {"currency": code("USD"), "volume": "0.0000"}
    if "pair" in params:
        for word, rate in rates.items():
            percent = f"{rate * 100:.4f}"
            row = {"fee": percent, "minfee": percent, "maxfee": percent}
            body[word] = {
                desk.names.of(ware).pair: row for ware in params.wares(desk.names)
            }
    return body


def _chosen(papers: Iterable[Paper], params: Params) -> list[Paper]:
    cl_ord_id, userref = params.maybe("cl_ord_id"), params.whole("userref", 0)
    return [
        it
        for it in papers
        if cl_ord_id in {None, it.cl_ord_id} and userref in {0, it.userref}
    ]


def _offset(params: Params) -> int:
    offset = params.whole("ofs", 0)
    if offset < 0:
        raise invalid("ofs")
    return offset


def _orders(desk: Desk, papers: Iterable[Paper], params: Params) -> Body:
    with_trades = params.is_true("trades")
    found: Body = {}
    for paper in papers:
        ware = _ware(desk, paper)
        name = desk.names.of(ware)
        found[paper.txid] = bodies.order(paper, ware, name, with_trades=with_trades)
    return found


def _papers(desk: Desk, account: str) -> list[Paper]:
    """Return an account's orders as queries see them, oldest first."""
    found: list[Paper] = []
    for paper in desk.papers.of_account(account):
        seen = desk.exchange.store.seen(paper.order)
        if seen is paper.order:
            found.append(paper)
        elif seen is not None:
            found.append(attrs.evolve(paper, order=seen))
    return found


def _open(desk: Desk, account: str) -> list[Paper]:
    return [paper for paper in _papers(desk, account) if paper.order.is_open]


def _fills(desk: Desk, account: str) -> list[tuple[Paper, Fill]]:
    """Return an account's executions as queries see them, oldest first."""
    fills = desk.exchange.store.fills(account)
    return [(desk.papers.of(it.order), it.fill) for it in fills]


def _consolidated(fills: Iterable[tuple[Paper, Fill]]) -> list[tuple[Paper, Fill]]:
    """Return what a taker met at one moment as one row, under the first one's id."""
    found: dict[tuple[str, int, int], tuple[Paper, Fill]] = {}
    for paper, fill in fills:
        moment_ms, own = fill.trade.trade_ms, fill.trade.trade_id if fill.is_maker else 0
        key = (paper.txid, moment_ms, own)
        before = found.get(key)
        found[key] = (paper, fill if before is None else _joined(before[1], fill))
    return list(found.values())


def _joined(first: Fill, second: Fill) -> Fill:
    base = first.trade.base + second.trade.base
    value = first.trade.price * first.trade.base + second.trade.price * second.trade.base
    trade = attrs.evolve(first.trade, base=base, price=value / base)
    return attrs.evolve(first, trade=trade, fee=first.fee + second.fee)


def _trades(desk: Desk, found: Iterable[tuple[Paper, Fill]]) -> Body:
    rows: Body = {}
    for paper, fill in found:
        ware = _ware(desk, paper)
        rows[exec_id_of(fill)] = bodies.own_trade(paper, fill, ware, desk.names.of(ware))
    return rows


def _ware(desk: Desk, paper: Paper) -> Ware:
    return desk.exchange.wares[paper.order.symbol]
