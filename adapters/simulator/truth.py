"""What really happened, for those who test: orders for ever, fills, balances, counts.

Served at /simulator/truth; it is no part of any venue's wire.
"""

from __future__ import annotations

from actors.messages import OrderStatus
from actors.pure.matching_orders import Fill, Order
from adapters.simulator.exchange import Exchange


def truth(exchange: Exchange) -> dict[str, object]:
    """Return everything as JSON values.

    `placed` of an order is how many orders the venue has ever taken under its client
    id: anything but 1 is an order sent twice. `asked` counts the requests that carried
    the id, refused ones included.
    """
    orders = {
        account: {
            client_id: _order(exchange, account, client_id, found)
            for (owner, client_id), found in exchange.engine.by_client.items()
            if owner == account
        }
        for account in sorted({key.name for key in exchange.keys.values()})
    }
    asked = [
        {"account": account, "client_order_id": client_id, "asked": count}
        for (account, client_id), count in exchange.asked.items()
    ]
    return {
        "now_ms": exchange.now_ms(),
        "orders_taken": exchange.orders_taken,
        "orders": orders,
        "asked": asked,
        "asked_twice": [row["client_order_id"] for row in asked if row["asked"] != 1],
        "placed_twice": [
            client_id
            for (_, client_id), found in exchange.engine.by_client.items()
            if len(found) > 1
        ],
        "balances": _balances(exchange),
        "requests": exchange.requests,
        "limits": {
            "weight_peak": exchange.limits.weight_peak,
            "connects_peak": exchange.limits.connects_peak,
            "while_forbidden": exchange.limits.while_forbidden,
            "refused": exchange.limits.refused,
        },
        "faults_struck": exchange.faults.struck,
    }


def _order(
    exchange: Exchange, account: str, client_id: str, found: list[Order]
) -> dict[str, object]:
    newest = found[-1]
    return {
        "placed": len(found),
        "asked": exchange.asked.get((account, client_id), 0),
        "symbol": exchange.wares[newest.symbol].listing.symbol,
        "side": newest.side.value,
        "type": newest.kind.name,
        "status": _status(newest),
        "is_open": newest.is_open,
        "order_ids": [order.order_id for order in found],
        "base": str(newest.base),
        "filled_base": str(newest.filled_base),
        "filled_quote": str(newest.filled_quote),
        "price": str(newest.price),
        "stop_price": str(newest.stop_price),
        "created_ms": newest.created_ms,
        "fills": [_fill(fill) for order in found for fill in order.fills],
    }


def _status(order: Order) -> str:
    return "NEW" if order.status is OrderStatus.OPEN else order.status.name


def _fill(fill: Fill) -> dict[str, object]:
    return {
        "trade_id": fill.trade.trade_id,
        "price": str(fill.trade.price),
        "base": str(fill.trade.base),
        "fee": str(fill.fee),
        "fee_asset": fill.fee_asset,
        "is_maker": fill.is_maker,
        "trade_ms": fill.trade.trade_ms,
    }


def _balances(exchange: Exchange) -> dict[str, dict[str, dict[str, str]]]:
    holdings = exchange.engine.wallets.holdings
    return {
        key.name: {
            asset: {"free": str(held.free), "locked": str(held.locked)}
            for asset, held in holdings.get(key.name, {}).items()
        }
        for key in exchange.keys.values()
    }
