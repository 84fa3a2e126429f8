"""What each fact says to a trader, without the time and the actor. Pure."""

from __future__ import annotations

from functools import singledispatch

from actors.messages import (
    Acknowledged,
    Attempted,
    Balanced,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    CancelRejected,
    CancelRequested,
    Commanded,
    Corrected,
    Ended,
    ExitReason,
    ExitTriggered,
    Fact,
    Filled,
    Halted,
    HaltLifted,
    Intended,
    LegsIntended,
    LegsSettled,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    PriceUpdated,
    Reconciled,
    Refused,
    Side,
    SignalGenerated,
    StopMoved,
)
from actors.pure.fleet_words import count, fleet_words
from actors.pure.halts import halt_words
from actors.pure.money import plain, signed

ASKED_FOR = frozenset({ExitReason.SIGNAL, ExitReason.OPERATOR, ExitReason.LEG})


@singledispatch
def words(fact: Fact) -> str:
    """Return what happened, without time and actor."""
    return fleet_words(fact)


@words.register
def _(fact: PriceUpdated) -> str:
    return (
        f"{fact.symbol} {plain(fact.price)} · bid {plain(fact.bid)} · ask {plain(fact.ask)}"
    )


@words.register
def _(fact: SignalGenerated) -> str:
    signal = fact.signal
    said = f"{signal.type.value} {fact.symbol} at {plain(fact.price)}"
    sure = f"strength {signal.strength:.2f}, confidence {signal.confidence:.2f}"
    return " · ".join((said, sure, *signal.reasons))


@words.register
def _(fact: LegsIntended) -> str:
    buy, sell = fact.buy, fact.sell
    return (
        f"buy {plain(fact.base)} {fact.symbol} at {buy.exchange} for about"
        f" {plain(buy.price)} and sell it at {sell.exchange} for {plain(sell.price)}"
        f" · {plain(fact.profit_percent)} % after fees"
    )


@words.register
def _(fact: LegsSettled) -> str:
    return f"{'both legs match' if fact.is_matched else 'NOT MATCHED'}: {fact.reason}"


@words.register
def _(fact: Refused) -> str:
    why = "; ".join(fact.reasons)
    return f"{fact.purpose.value} on {fact.symbol} refused, {fact.code}" + (
        why and f": {why}"
    )


@words.register
def _(fact: Intended) -> str:
    if fact.is_protective and fact.stop_price is not None:
        guarded = f"{fact.bot} will have {plain(fact.base)} {fact.symbol} guarded"
        return f"{guarded} at the exchange by a stop at {plain(fact.stop_price)}"
    what = f"{fact.side.value} {plain(fact.base)} {fact.symbol} {fact.order_type.value}"
    why = f" · {fact.exit_reason.value.replace('_', ' ')}" if fact.exit_reason else ""
    return f"{fact.bot} will {what}{_prices(fact)}{why}"


@words.register
def _(fact: Attempted) -> str:
    order = short(fact.client_order_id)
    return f"{fact.bot} sends order {order} · {fact.symbol} · attempt {fact.attempt}"


@words.register
def _(fact: Acknowledged) -> str:
    order = short(fact.client_order_id)
    return f"{fact.bot}'s order {order} is at the exchange as {fact.venue_order_id}"


@words.register
def _(fact: OutcomeUnknown) -> str:
    order = short(fact.client_order_id)
    return f"{fact.bot}'s order {order} is UNKNOWN until the exchange tells: {fact.reason}"


@words.register
def _(fact: CancelRequested) -> str:
    why = f": {fact.reason}" if fact.reason else ""
    return f"{fact.bot}'s order {short(fact.client_order_id)} is to be cancelled{why}"


@words.register
def _(fact: CancelRejected) -> str:
    order, why = short(fact.client_order_id), fact.reason or fact.code
    return f"{fact.bot}'s order {order} stays: the exchange would not cancel it, {why}"


@words.register
def _(fact: Filled) -> str:
    done = "bought" if fact.side is Side.BUY else "sold"
    fee = f" · fee {plain(fact.fee)} {fact.fee_asset}" if fact.fee else ""
    return f"{fact.bot} {done} {plain(fact.base)} {fact.symbol} at {plain(fact.price)}{fee}"


@words.register
def _(fact: Ended) -> str:
    how = fact.status.value.replace("_", " ")
    why = ": ".join(filter(None, (fact.code, fact.reason)))
    filled = f"{plain(fact.filled_base)} filled"
    said = f"{fact.bot}'s order {short(fact.client_order_id)} {how} · {filled}"
    return f"{said} · {why}" if why else said


@words.register
def _(fact: PositionOpened) -> str:
    guards = [f"{fact.bot} holds {plain(fact.base)} {fact.symbol} at {plain(fact.entry)}"]
    if fact.stop_loss is not None:
        guards.append(f"stop {plain(fact.stop_loss)}")
    if fact.take_profit is not None:
        guards.append(f"target {plain(fact.take_profit)}")
    if fact.trailing_stop is not None:
        guards.append(f"trailing {plain(fact.trailing_stop)} %")
    return " · ".join(guards)


@words.register
def _(fact: StopMoved) -> str:
    stop, high = plain(fact.stop_loss), plain(fact.high)
    return f"{fact.bot}'s stop on {fact.symbol} is now {stop} · high {high}"


@words.register
def _(fact: ExitTriggered) -> str:
    why = fact.reason.value.replace("_", " ")
    hit = f"exit by {why}" if fact.reason in ASKED_FOR else f"{why} hit"
    said = f"{fact.bot}: {hit} on {fact.symbol} at {plain(fact.exit_price)}"
    return f"{said} · pnl {signed(fact.pnl)} before the exit's fee"


@words.register
def _(fact: PositionClosed) -> str:
    why = fact.exit_reason.value.replace("_", " ")
    said = f"{fact.bot} is out of {fact.symbol} at {plain(fact.exit_price)} by {why}"
    dust = f" · dust {plain(fact.dust_base)}" if fact.dust_base else ""
    return f"{said} · pnl {signed(fact.pnl)}{dust}"


@words.register
def _(fact: BotPaused) -> str:
    return (
        f"paused by an operator: {fact.reason}" if fact.reason else "paused by an operator"
    )


@words.register
def _(fact: BotResumed) -> str:
    del fact
    return "resumed by an operator"


@words.register
def _(fact: BotStopped) -> str:
    del fact
    return "stopped by an operator until started again"


@words.register
def _(fact: BotStarted) -> str:
    del fact
    return "started by an operator"


@words.register
def _(fact: Commanded) -> str:
    why = f" because {fact.reason}" if fact.reason else ""
    return f"{fact.by or 'an operator'} typed {fact.verb} {fact.subject}{why}"


@words.register
def _(fact: BotFlattened) -> str:
    why = fact.reason and f": {fact.reason}"
    return f"is sold flat by an operator and enters nothing until it is resumed{why}"


@words.register
def _(fact: Corrected) -> str:
    taken = f"{plain(fact.base)} {fact.symbol}"
    why = fact.reason and f": {fact.reason}"
    return f"{taken} left {fact.bot}'s position, the exchange no longer holds it{why}"


@words.register
def _(fact: Halted) -> str:
    who = fact.bot or f"account {fact.account}"
    return f"ALARM: {who} is halted, {halt_words(fact)} · exits go on"


@words.register
def _(fact: HaltLifted) -> str:
    who, why = fact.bot or f"account {fact.account}", fact.reason and f": {fact.reason}"
    return f"{who} is no longer halted by {fact.code}{why}"


@words.register
def _(fact: Balanced) -> str:
    locked = f", {plain(fact.locked)} more in orders" if fact.locked else ""
    return f"{plain(fact.free)} {fact.asset} free{locked}"


@words.register
def _(fact: Reconciled) -> str:
    found = (
        count(fact.open_orders, "open order"),
        f"{count(fact.fills_booked, 'fill')} booked",
        f"{count(fact.orders_settled, 'order')} settled",
    )
    foreign = count(fact.foreign_orders, "foreign order") if fact.foreign_orders else ""
    return " · ".join(
        filter(None, (f"reconciled, {fact.why}", *found, foreign, *fact.drifts))
    )


def _prices(fact: Intended) -> str:
    if fact.limit_price is None:
        return f" at about {plain(fact.price)}"
    if fact.stop_price is None:
        return f" {plain(fact.limit_price)}"
    return f", trigger {plain(fact.stop_price)}, limit {plain(fact.limit_price)}"


def short(order_id: str) -> str:
    """Return the end of an order's id, for the eye; the ledger and `--json` have it all."""
    return f"…{order_id[-8:]}" if len(order_id) > 12 else order_id
