"""Several orders of Kraken's REST in one request.

The whole batch is refused when one order breaks a rule; what the engine refuses (funds, an
id that is taken) costs that order alone.

Source: "Add Order Batch", "Cancel Order Batch", 2026-05-27.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from adapters.simulator import kraken_bodies as bodies
from adapters.simulator.kraken_bodies import Body
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_faults import UNKNOWN_ORDER, Refused, invalid
from adapters.simulator.kraken_params import Params, texts_of
from adapters.simulator.kraken_rules import check, wanted_of

ADDED: Final = range(2, 16)
CANCELED: Final = range(1, 51)


def add_order_batch(desk: Desk, account: str, params: Params) -> object:
    pair, now_ms = params.text("pair"), desk.exchange.told_ms()
    rows: list[Body] = []
    every = [Params(texts_of(row) | {"pair": pair}) for row in _listed(params, ADDED)]
    wanted = [wanted_of(each, each.ware(desk.names), now_ms) for each in every]
    for each in wanted:
        check(each)
    for each in wanted:
        described = bodies.described(each.ware, desk.names.of(each.ware), each)
        row: Body = {"descr": {"order": described}}
        try:
            paper = desk.add(account, each)
        except Refused as refused:
            row["error"] = str(refused)
        else:
            row |= {} if paper is None else {"txid": paper.txid}
        rows.append(row)
    return {"orders": rows}


def cancel_order_batch(desk: Desk, account: str, params: Params) -> object:
    """End the orders that are named; those that are gone are passed over."""
    found = [
        paper
        for name in _listed(params, CANCELED)
        for paper in desk.named(account, str(name))
    ]
    if not found:
        raise Refused(UNKNOWN_ORDER)
    for paper in found:
        desk.cancel(paper)
    return {"count": len(found)}


def _listed(params: Params, sizes: range) -> list[Any]:
    try:
        found: Any = json.loads(params.text("orders"), parse_float=Decimal)
    except ValueError:
        raise invalid("orders") from None
    if not isinstance(found, list) or len(found) not in sizes:  # pyright: ignore[reportUnknownArgumentType] -- JSON
        raise invalid("orders")
    return list(found)  # pyright: ignore[reportUnknownArgumentType] -- JSON
