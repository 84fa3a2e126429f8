"""Decide what becomes of a paper order in the market that is seen. Pure.

    refusal, place --> no | taken as far as the book goes, then it rests or expires
    follow         --> a stop price was reached | the market came to a resting order

A resting order is executed at its own limit, by what crosses it in the book or by a trade
beyond it. A trade exactly at its price executes nothing: nobody knows who stood before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal

import attrs

from actors.messages import (
    Instrument,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    Traded,
)
from actors.pure.money import ZERO, plain
from actors.pure.paper_account import PaperAccount, PaperOrder
from actors.pure.paper_sight import Sight, Take
from actors.pure.paper_words import (
    PaperEnded,
    PaperFact,
    PaperFilled,
    PaperPlaced,
    PaperTriggered,
)

FEE_STEP = Decimal("0.00000001")
Refusal = tuple[str, str]  # code, reason


@attrs.frozen
class PaperFees:
    """Rates, taken from what is received."""

    maker: Decimal
    taker: Decimal


def refusal(
    request: OrderRequest, instrument: Instrument, account: PaperAccount, sight: Sight
) -> Refusal | None:
    """Return why an order is not taken now, code and reason, or None."""
    if (broken := _ill_formed(request, instrument)) is not None:
        return "filters", broken
    if not sight.has_price:
        return "no_price", f"no price of {request.symbol} is known"
    limit, stop = request.limit_price, request.stop_price
    is_post_only = request.order_type is OrderType.LIMIT_MAKER and limit is not None
    if is_post_only and sight.crosses(request.side, limit or ZERO):
        return "would_match", "a post-only order that would trade at once"
    if stop is not None and (sight.last is None or _is_reached(request, sight.last)):
        return "would_trigger", "its stop price is reached already"
    asset, wanted = _cost(request, instrument, sight)
    free = account.free(asset)
    if wanted > free:
        text = f"needs {plain(wanted)} {asset}, {plain(free)} are free"
        return "insufficient_balance", text
    return None


def place(
    request: OrderRequest,
    instrument: Instrument,
    account: PaperAccount,
    sight: Sight,
    fees: PaperFees,
    now_ms: int,
) -> tuple[PaperFact, ...]:
    """Return what becomes of an order that was not refused; what it takes is noted."""
    assets = instrument.base_asset, instrument.quote_asset
    placed = PaperPlaced(request, account.last_order_id + 1, *assets, now_ms)
    if request.order_type.is_triggered:
        return (placed,)
    order = PaperOrder(placed, OrderStatus.OPEN, now_ms, is_working=True)
    takes = sight.take(request.side, request.limit_price, request.base)
    sight.note(request.side, takes)
    fills = _fills(order, takes, account.last_trade_id + 1, fees.taker, now_ms)
    left = request.base - sum((base for _, base in takes), ZERO)
    if not left or request.order_type.is_limited:
        return (placed, *fills)
    text = f"the book had no more: {plain(left)} left"
    order_id = request.client_order_id
    ended = PaperEnded(order_id, OrderStatus.EXPIRED, text, now_ms)
    return (placed, *fills, ended)


def follow(
    account: PaperAccount,
    sight: Sight,
    fees: PaperFees,
    now_ms: int,
    traded: Traded | None = None,
) -> tuple[PaperFact, ...]:
    """Return what the market does to the live orders of its symbol now, oldest first.

    `traded` is a trade that was just heard; what is taken is noted.
    """
    facts: list[PaperFact] = []
    trade_id = account.last_trade_id + 1
    through = traded.base if traded is not None else ZERO
    for order in account.live.values():
        if order.request.symbol != sight.symbol:
            continue
        price = traded.price if traded is not None else None
        found, used = _follow_one(order, sight, fees, now_ms, trade_id, price, through)
        facts += found
        through -= used
        trade_id += sum(isinstance(fact, PaperFilled) for fact in found)
    return tuple(facts)


def _follow_one(
    order: PaperOrder,
    sight: Sight,
    fees: PaperFees,
    now_ms: int,
    trade_id: int,
    price: Decimal | None,
    through: Decimal,
) -> tuple[tuple[PaperFact, ...], Decimal]:
    """Return what becomes of one order, and how much of the trade it used up."""
    request, limit = order.request, order.request.limit_price
    is_waiting = not order.is_working
    if limit is None or (
        is_waiting and (sight.last is None or not _is_reached(request, sight.last))
    ):
        return (), ZERO
    takes = sight.take(request.side, limit, order.remaining)
    sight.note(request.side, takes)
    if is_waiting:
        triggered = PaperTriggered(request.client_order_id, now_ms)
        return (triggered, *_fills(order, takes, trade_id, fees.taker, now_ms)), ZERO
    base, used = sum((part for _, part in takes), ZERO), ZERO
    if price is not None and _is_beyond(request.side, price, limit):
        used = min(through, order.remaining)
        base = max(base, used)
    if not base:
        return (), ZERO
    at_limit = [(limit, base)]
    return _fills(order, at_limit, trade_id, fees.maker, now_ms, is_maker=True), used


def _is_reached(request: OrderRequest, last: Decimal) -> bool:
    """Tell whether `last` fires the order.

    A stop-loss BUY and a take-profit SELL wait for a rise, the others for a fall.
    """
    stop = request.stop_price or ZERO
    is_stop = request.order_type is OrderType.STOP_LOSS_LIMIT
    fires_up = is_stop == (request.side is Side.BUY)
    return last >= stop if fires_up else last <= stop


def _is_beyond(side: Side, price: Decimal, limit: Decimal) -> bool:
    return price < limit if side is Side.BUY else price > limit


def _cost(
    request: OrderRequest, instrument: Instrument, sight: Sight
) -> tuple[str, Decimal]:
    """Return the asset that an order pays with, and how much it may need."""
    if request.side is Side.SELL:
        return instrument.base_asset, request.base
    if request.limit_price is not None:
        return instrument.quote_asset, request.base * request.limit_price
    takes = sight.take(Side.BUY, None, request.base)
    return instrument.quote_asset, sum((price * base for price, base in takes), ZERO)


def _ill_formed(request: OrderRequest, instrument: Instrument) -> str | None:
    """Return what the real exchange would refuse the order for, or None."""
    kind, base = request.order_type, request.base
    prices = (request.limit_price, request.stop_price)
    given = tuple(price is not None for price in prices)
    if not instrument.is_trading:
        return f"{request.symbol} is not trading"
    if kind.value not in instrument.order_types:
        return f"the exchange takes no {kind.value} orders here"
    if given != (kind.is_limited, kind.is_triggered):
        return f"the prices are not those of a {kind.value} order"
    if base < instrument.base_min or base <= 0 or instrument.floor_base(base) != base:
        return f"{plain(base)} is no quantity that {request.symbol} has"
    return _ill_priced(request, instrument)


def _ill_priced(request: OrderRequest, instrument: Instrument) -> str | None:
    for price in (request.limit_price, request.stop_price):
        if price is not None and (price <= 0 or instrument.floor_price(price) != price):
            return f"{plain(price)} is no price that {request.symbol} has"
    limit, least = request.limit_price, instrument.quote_min
    if limit is not None and request.base * limit < least:
        return f"less than {plain(least)} {instrument.quote_asset}"
    return None


def _fills(
    order: PaperOrder,
    takes: Sequence[Take],
    first_id: int,
    rate: Decimal,
    now_ms: int,
    *,
    is_maker: bool = False,
) -> tuple[PaperFilled, ...]:
    placed, is_buy = order.placed, order.request.side is Side.BUY
    found: list[PaperFilled] = []
    for number, (price, base) in enumerate(takes, first_id):
        received = base if is_buy else base * price
        asset = placed.base_asset if is_buy else placed.quote_asset
        fee = (received * rate).quantize(FEE_STEP, ROUND_UP)
        order_id = order.request.client_order_id
        found.append(
            PaperFilled(order_id, number, price, base, fee, asset, is_maker, now_ms)
        )
    return tuple(found)
