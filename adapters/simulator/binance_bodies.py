"""Binance's bodies about orders, fills and balances, written from the engine's records.

Written anew and not with the codec's writers, so that the codec's readers meet somebody
else's reading of rest-api.md and user-data-stream.md (2026-07-21).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from actors.messages import OrderStatus, Side
from actors.pure.matching_orders import ZERO, Fill, Kind, Lasting, Order, Report, Step
from actors.pure.matching_wallets import Holding
from adapters.simulator.exchange import Exchange
from adapters.simulator.order_store import AccountFill

KINDS: Final = {
    "MARKET": Kind.MARKET,
    "LIMIT": Kind.LIMIT,
    "LIMIT_MAKER": Kind.LIMIT_MAKER,
    "STOP_LOSS_LIMIT": Kind.STOP_LOSS_LIMIT,
    "TAKE_PROFIT_LIMIT": Kind.TAKE_PROFIT_LIMIT,
}
KIND_WORDS: Final = {kind: word for word, kind in KINDS.items()}
STATUS_WORDS: Final = {
    OrderStatus.OPEN: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
}
STEP_WORDS: Final = {
    Step.NEW: "NEW",
    Step.TRIGGERED: "NEW",  # a stop that fires is told as new once more, now on the book
    Step.TRADE: "TRADE",
    Step.CANCELED: "CANCELED",
    Step.EXPIRED: "EXPIRED",
}
SIDE_WORDS: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
LASTING: Final = {"GTC": Lasting.GTC, "IOC": Lasting.IOC, "FOK": Lasting.FOK}
LASTING_WORDS: Final = {lasting: word for word, lasting in LASTING.items()}
Body = dict[str, object]


def e8(number: Decimal) -> str:
    return f"{number:.8f}"


def placed(order: Order, response: str) -> Body:
    """Return the answer to a new order: ACK, RESULT or FULL."""
    body: Body = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }
    if response == "ACK":
        return body
    body |= _state(order)
    body["workingTime"] = order.working_ms
    body["selfTradePreventionMode"] = "NONE"
    if response == "FULL":
        body["fills"] = [
            {
                "price": e8(fill.trade.price),
                "qty": e8(fill.trade.base),
                "commission": e8(fill.fee),
                "commissionAsset": fill.fee_asset,
                "tradeId": fill.trade.trade_id,
            }
            for fill in order.fills
        ]
    return body


def canceled(order: Order) -> Body:
    """Return the answer to a cancel; `clientOrderId` is the cancel's own."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.cancel_id,
        "transactTime": order.updated_ms,
        **_state(order),
        "selfTradePreventionMode": "NONE",
    }


def queried(order: Order) -> Body:
    """Return one order as queries and lists show it."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        **_state(order),
        "stopPrice": e8(order.stop_price),
        "icebergQty": e8(ZERO),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working_ms >= 0,
        "workingTime": order.working_ms,
        "selfTradePreventionMode": "NONE",
    }


def _state(order: Order) -> Body:
    body: Body = {
        "price": e8(order.price),
        "origQty": e8(order.base),
        "executedQty": e8(order.filled_base),
        "origQuoteOrderQty": e8(order.quote),
        "cummulativeQuoteQty": e8(order.filled_quote),
        "status": STATUS_WORDS[order.status],
        "timeInForce": LASTING_WORDS[order.lasting],
        "type": KIND_WORDS[order.kind],
        "side": SIDE_WORDS[order.side],
    }
    if order.stop_price:
        body["stopPrice"] = e8(order.stop_price)
    return body


def own_trade(found: AccountFill) -> Body:
    """Return one fill as myTrades lists it."""
    trade, fill = found.fill.trade, found.fill
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": e8(trade.price),
        "qty": e8(trade.base),
        "quoteQty": e8(trade.price * trade.base),
        "commission": e8(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": trade.trade_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account(exchange: Exchange, name: str, *, omit_zero: bool) -> Body:
    """Return what an account holds and pays."""
    config, holdings = exchange.config, exchange.engine.wallets.holdings.get(name, {})
    return {
        "makerCommission": int(config.maker_fee * 10_000),
        "takerCommission": int(config.taker_fee * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": e8(config.maker_fee),
            "taker": e8(config.taker_fee),
            "buyer": e8(ZERO),
            "seller": e8(ZERO),
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": exchange.now_ms(),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": e8(held.free), "locked": e8(held.locked)}
            for asset, held in holdings.items()
            if held.free or held.locked or not omit_zero
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def execution_report(report: Report, execution_id: int) -> Body:
    """Return the private event of one step of an order's life."""
    order = report.order
    client_order_id, original = order.client_order_id, ""
    if report.step is Step.CANCELED:
        client_order_id, original = order.cancel_id, order.client_order_id
    return {
        "e": "executionReport",
        "E": report.at_ms,
        "s": order.symbol,
        "c": client_order_id,
        "S": SIDE_WORDS[order.side],
        "o": KIND_WORDS[order.kind],
        "f": LASTING_WORDS[order.lasting],
        "q": e8(order.base),
        "p": e8(order.price),
        "P": e8(order.stop_price),
        "F": e8(ZERO),
        "g": -1,
        "C": original,
        "x": STEP_WORDS[report.step],
        "X": STATUS_WORDS[report.status],
        "r": "NONE",
        "i": order.order_id,
        **_last(report.fill),
        "z": e8(report.filled_base),
        "T": report.at_ms,
        "I": execution_id,
        "w": report.is_working,
        "M": False,
        "O": order.created_ms,
        "Z": e8(report.filled_quote),
        "Q": e8(order.quote),
        "W": order.working_ms,
        "V": "NONE",
    }


def _last(fill: Fill | None) -> Body:
    if fill is None:
        zero = e8(ZERO)
        return {"l": zero, "L": zero, "n": "0", "N": None, "t": -1, "m": False, "Y": zero}
    trade = fill.trade
    return {
        "l": e8(trade.base),
        "L": e8(trade.price),
        "n": e8(fill.fee),
        "N": fill.fee_asset,
        "t": trade.trade_id,
        "m": fill.is_maker,
        "Y": e8(trade.price * trade.base),
    }


def position(holdings: Iterable[tuple[str, Holding]], now_ms: int) -> Body:
    """Return the private event of assets that changed."""
    rows = [{"a": asset, "f": e8(h.free), "l": e8(h.locked)} for asset, h in holdings]
    return {"e": "outboundAccountPosition", "E": now_ms, "u": now_ms, "B": rows}
