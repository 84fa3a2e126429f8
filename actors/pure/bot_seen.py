"""One bot as people see it: a fold of its facts, and what became of its orders. Pure."""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Ended,
    ExitTriggered,
    Fact,
    Filled,
    Intended,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    Refused,
    SignalGenerated,
    StopMoved,
)
from actors.pure.money import ZERO, plain, signed


@attrs.define
class PositionShown:
    """A position with the levels that guard it; entry and base follow every fill."""

    position_id: str
    symbol: str
    entry: Decimal
    base: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing_stop: Decimal | None


@attrs.define
class BotSeen:
    """One bot: what it did last, what it holds, what it earned."""

    symbol: str = ""
    exchange: str = ""
    account: str = ""
    is_stopped: bool = False
    paused: str = ""  # why, when it is
    is_flat: bool = False  # ordered so: its entries are cancelled
    # By symbol: it may still hold of one that it traded before.
    positions: dict[str, PositionShown] = attrs.Factory(dict[str, PositionShown])
    outcome: str = "no evaluation yet"
    outcome_ms: int = 0
    signals: int = 0
    orders: int = 0
    fills: int = 0
    refusals: int = 0
    # Orders nobody has spoken of yet, and those of which nobody can say anything. A dict
    # each: an empty set takes three times its room, in each of ten thousand bots.
    awaited: dict[str, None] = attrs.Factory(dict[str, None])
    unknown: dict[str, None] = attrs.Factory(dict[str, None])
    # Triggers of protective stops by order; by intent, until the order is begun.
    stops: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])
    closed: int = 0
    pnl: Decimal = ZERO  # realized, quote

    def came_to(self, outcome: str, at_ms: int) -> None:
        """Note the last outcome."""
        self.outcome, self.outcome_ms = outcome, at_ms

    def is_stop(self, intent_id: str, order_id: str) -> bool:
        """Tell whether an order just begun is a protective stop, and remember it."""
        trigger = self.stops.pop(intent_id, None)
        if trigger is not None:
            self.stops[order_id] = trigger
        return trigger is not None

    @property
    def position(self) -> PositionShown | None:
        """The newest position that is open."""
        return next(reversed(self.positions.values()), None)

    @property
    def resting_stop(self) -> Decimal | None:
        """The trigger of the stop that the exchange holds, as far as anybody knows."""
        unsure = self.awaited.keys() | self.unknown.keys()
        return max((at for it, at in self.stops.items() if it not in unsure), default=None)

    def heard_of(self, order_id: str) -> None:
        """The venue spoke of an order: a lost answer that is told later says nothing."""
        self.awaited.pop(order_id, None)
        self.unknown.pop(order_id, None)


def show_command(
    bot: BotSeen, fact: BotPaused | BotFlattened | BotResumed | BotStopped | BotStarted
) -> None:
    """Take what an operator ordered of a bot."""
    match fact:
        case BotPaused(reason=reason):
            bot.paused = reason or "by an operator"
        case BotFlattened(reason=reason):
            bot.paused = f"flattened, {reason}" if reason else "flattened"
            bot.is_flat = True
        case BotResumed():
            bot.paused, bot.is_flat = "", False
        case BotStopped() | BotStarted():
            bot.is_stopped = isinstance(fact, BotStopped)


def show_position(
    bot: BotSeen,
    fact: PositionOpened | StopMoved | ExitTriggered | PositionClosed,
    at_ms: int,
) -> None:
    """Take what happened to a bot's position."""
    match fact:
        case PositionOpened():
            bot.positions.pop(fact.symbol, None)
            bot.positions[fact.symbol] = PositionShown(
                fact.position_id,
                fact.symbol,
                fact.entry,
                fact.base,
                fact.stop_loss,
                fact.take_profit,
                fact.trailing_stop,
            )
        case StopMoved(stop_loss=stop_loss):
            if (shown := bot.positions.get(fact.symbol)) is not None:
                # A slow ledger may tell an older move last.
                shown.stop_loss = max(stop_loss, shown.stop_loss or stop_loss)
        case ExitTriggered(reason=reason, exit_price=price):
            bot.came_to(f"{reason.value.replace('_', ' ')} hit at {plain(price)}", at_ms)
        case PositionClosed():
            bot.positions.pop(fact.symbol, None)
            bot.closed += 1
            bot.pnl += fact.pnl
            bot.came_to(
                f"closed by {fact.exit_reason.value.replace('_', ' ')}"
                f" at {plain(fact.exit_price)}, pnl {signed(fact.pnl)}",
                at_ms,
            )


def show_order(bot: BotSeen, fact: Fact, at_ms: int) -> None:
    """Take what happened to a bot's wish before it was an order, and to the order."""
    match fact:
        case SignalGenerated(signal=signal):
            bot.signals += 1
            because = signal.reasons[0] if signal.reasons else "no reason given"
            bot.came_to(f"{signal.type.value}: {because}", at_ms)
        case Refused(code=code, reasons=reasons):
            bot.refusals += 1
            bot.came_to(f"refused {code}: {'; '.join(reasons)}", at_ms)
        case Intended(intent_id=intent_id, stop_price=Decimal() as stop_price):
            if fact.is_protective:
                bot.stops[intent_id] = stop_price
        case Attempted() | Acknowledged() | Filled() | OutcomeUnknown() | Ended():
            _show_life(bot, fact, at_ms)
        case _:
            pass


def _show_life(
    bot: BotSeen,
    fact: Attempted | Acknowledged | Filled | OutcomeUnknown | Ended,
    at_ms: int,
) -> None:
    match fact:
        case Attempted(client_order_id=order_id):
            bot.orders += 1
            bot.awaited[order_id] = None
            if not bot.is_stop(fact.intent_id, order_id):
                bot.came_to(f"order {order_id} sent", at_ms)
        case Acknowledged(client_order_id=order_id):
            bot.heard_of(order_id)
        case Filled(side=side, base=base, price=price, symbol=symbol):
            bot.heard_of(fact.client_order_id)
            bot.fills += 1
            bot.came_to(
                f"{side.value} {plain(base)} {symbol} filled at {plain(price)}", at_ms
            )
        case OutcomeUnknown(client_order_id=order_id, reason=reason):
            if order_id in bot.awaited:
                bot.unknown[order_id] = None
                bot.came_to(f"order {order_id} UNKNOWN: {reason}", at_ms)
        case Ended():
            _show_end(bot, fact, at_ms)


def _show_end(bot: BotSeen, fact: Ended, at_ms: int) -> None:
    """Take the end of an order; that a stop made room for another is no news."""
    order_id, how = fact.client_order_id, fact.status.value
    bot.heard_of(order_id)
    is_stop = bot.stops.pop(order_id, None) is not None
    if how != "filled" and (not is_stop or how == "rejected"):
        text = f"order {order_id} {how.replace('_', ' ')}: {fact.reason}"
        bot.came_to(text.rstrip(": "), at_ms)
