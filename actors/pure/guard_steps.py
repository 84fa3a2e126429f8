"""Put what a guard has decided into the words of facts and wishes. Pure."""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import (
    CancelIntent,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    Instrument,
    PositionClosed,
    PositionOpened,
    Protection,
    StopMoved,
)
from actors.pure.exits import Levels
from actors.pure.money import ZERO, rounded
from actors.pure.order_life import Order
from actors.pure.position_math import Holding
from actors.pure.protective_stop import StopWanted

EXIT_VALID_S = 5.0  # an exit is never sent later than this

Step = (
    PositionOpened | StopMoved | ExitTriggered | PositionClosed | ExitIntent | CancelIntent
)

_WORDS = {
    ExitReason.STOP_LOSS: "Stop loss hit",
    ExitReason.TAKE_PROFIT: "Take profit hit",
    ExitReason.TRAILING_STOP: "Trailing stop hit",
}


@attrs.frozen
class Ward:
    """Whom a guard guards, and how."""

    bot: str
    account: str
    exchange: str
    symbol: str
    protection: Protection = attrs.Factory(Protection)
    check_s: float = 5.0
    exit_wait_s: float = 10.0  # G of R-41: an exit this old and not done is cancelled
    limit_percent: Decimal | None = None  # of its resting stop; None: none is to rest
    has_left: bool = False  # no bot of this run trades it: the record and decisions count


def opened(ward: Ward, levels: Levels, holding: Holding) -> PositionOpened:
    """Return the beginning of a position."""
    return PositionOpened(
        ward.bot,
        ward.account,
        ward.exchange,
        ward.symbol,
        holding.position_id,
        rounded(holding.entry),
        holding.base + holding.sold_base,
        levels.stop_loss,
        levels.take_profit,
        levels.trailing_stop,
    )


def closed(ward: Ward, holding: Holding, reason: ExitReason, notes: str) -> PositionClosed:
    """Return the end of a position; what is left is too little to be sold (R-18)."""
    return PositionClosed(
        ward.bot,
        ward.account,
        ward.symbol,
        holding.position_id,
        reason,
        rounded(holding.exit_price),
        rounded(holding.loss_of_dust()),
        holding.base,
        notes if holding.sold_base else "less than the exchange lets us sell",
    )


def stop_moved(ward: Ward, levels: Levels, holding: Holding) -> StopMoved | None:
    """Return the move of a trailing stop to `levels`."""
    if levels.stop_loss is None:
        return None
    return StopMoved(
        ward.bot,
        ward.account,
        ward.symbol,
        holding.position_id,
        levels.stop_loss,
        levels.high,
    )


def triggered(
    ward: Ward, holding: Holding, reason: ExitReason, price: Decimal
) -> ExitTriggered:
    """Return that a level was hit at `price`, as this process has seen it."""
    pnl = rounded(holding.unrealized(price))
    position_id = holding.position_id
    return ExitTriggered(
        ward.bot, ward.account, ward.symbol, position_id, reason, price, pnl
    )


def executed(
    ward: Ward, holding: Holding, stop: Order, instrument: Instrument
) -> ExitTriggered:
    """Return that the exchange came to the resting stop and has begun to sell."""
    price = stop.filled_quote / stop.filled_base
    fee = dict(stop.fees).get(instrument.quote_asset, ZERO)
    pnl = holding.realized_quote + fee + holding.unrealized(price)
    reason = stop.intended.exit_reason or ExitReason.STOP_LOSS
    told = triggered(ward, holding, reason, rounded(price))
    return attrs.evolve(told, pnl=rounded(pnl))


def sale(
    ward: Ward,
    holding: Holding,
    intent_id: str,
    reason: ExitReason,
    price: Decimal,
    now_s: float,
) -> ExitIntent:
    """Return the wish to sell all of a position at the market."""
    return ExitIntent(
        intent_id=intent_id,
        bot=ward.bot,
        account=ward.account,
        exchange=ward.exchange,
        symbol=ward.symbol,
        position_id=holding.position_id,
        base=holding.base,
        reason=reason,
        price=price,
        notes=f"Auto-closed by bot: {_WORDS.get(reason, reason.value)}",
        valid_until_s=now_s + EXIT_VALID_S,
    )


def at_stop(sold: ExitIntent, wanted: StopWanted) -> ExitIntent:
    """Return the same wish as a stop that rests at the exchange."""
    return attrs.evolve(
        sold,
        base=wanted.base,
        stop_price=wanted.stop_price,
        limit_price=wanted.limit_price,
        notes=f"Closed at the exchange: {_WORDS.get(sold.reason, sold.reason.value)}",
    )


def cancel(ward: Ward, order: Order, reason: str) -> CancelIntent:
    """Return the wish to cancel one of the bot's orders."""
    return CancelIntent(ward.account, ward.bot, ward.symbol, order.client_order_id, reason)
