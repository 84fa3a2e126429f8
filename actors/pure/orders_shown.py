"""Put orders into words and into JSON: ours, and foreign ones at the exchange. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.pure.lines import on_one_line
from actors.pure.money import plain
from actors.pure.nearest import did_you_mean
from actors.pure.order_life import Order
from actors.pure.read_model import ReadModel

ENDED_SHOWN = 20
NAME_MIN = 4  # of the end of an id that stands for all of it

Shown = Mapping[str, Any]


def orders_of(model: ReadModel, *, is_open_only: bool) -> Shown:
    """Return our orders, oldest first, and the foreign ones, as plain data."""
    ended = [] if is_open_only else list(model.orders.ended())[-ENDED_SHOWN:]
    return {
        "orders": [
            _order(order)
            for order in (*ended, *model.orders.live())
            if order.bot in model.bots
        ],
        "foreign": {
            name: {"count": seen.foreign_orders, "orders": list(seen.foreign)}
            for name, seen in sorted(model.accounts.items())
        },
    }


def _order(order: Order) -> Shown:
    intended = order.intended
    price = intended.limit_price or intended.stop_price
    return {
        "id": order.client_order_id,
        "venue_id": order.venue_order_id,
        "account": intended.account,
        "bot": order.bot,
        "symbol": order.symbol,
        "purpose": intended.purpose.value,
        "side": order.side.value,
        "type": intended.order_type.value,
        "price": plain(price) if price else "",
        "base": plain(order.base),
        "filled": plain(order.filled_base),
        "status": order.status.value,
        "attempt_ms": order.attempt_ms,
        "reason": order.reason,
    }


def orders_lines(shown: Shown) -> list[str]:
    """Return the orders as people read them: whole ids, to be typed again."""
    lines = [_order_line(order) for order in shown["orders"]]
    for account, foreign in shown["foreign"].items():
        lines += [f"not ours, on {account}: {line}" for line in foreign["orders"]]
        hidden = foreign["count"] - len(foreign["orders"])
        if hidden > 0:
            lines.append(f"not ours, on {account}: {hidden} more")
    return [on_one_line(line) for line in lines] or ["no orders"]


def _order_line(order: Shown) -> str:
    status = order["status"].replace("_", " ")
    status = "UNKNOWN" if status == "unknown" else status
    at = f" at {order['price']}" if order["price"] else ""
    why = f" \N{MIDDLE DOT} {order['reason']}" if order["reason"] else ""
    what = f"{order['side']} {order['base']} {order['symbol']} {order['type']}{at}"
    filled = f"{order['filled']} filled"
    return (
        f"{order['id']}  {status}  {order['bot']} {order['purpose']}: {what}, {filled}{why}"
    )


def order_named(model: ReadModel, name: str) -> Order:
    """Return our order of this id, or of the only one that ends so.

    Raises:
      LookupError: there is none, or there are several; the text says so.
    """
    order = model.orders.get(name)
    if order is not None:
        return order
    live = list(model.orders.live())
    ending = name.removeprefix("\N{HORIZONTAL ELLIPSIS}")
    like = [order for order in live if order.client_order_id.endswith(ending)]
    if len(like) == 1 and len(ending) >= NAME_MIN:
        return like[0]
    if len(like) > 1 and ending:
        names = ", ".join(order.client_order_id for order in like[:5])
        raise LookupError(f"{len(like)} open orders end so: {names}")
    near = did_you_mean(name, [order.client_order_id for order in live])
    raise LookupError(f"no order of ours is called {name!r}{near}")
