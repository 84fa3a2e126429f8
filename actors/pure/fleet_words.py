"""What facts about the fleet itself say: runs, exchanges, clocks, supervision. Pure."""

from __future__ import annotations

from decimal import Decimal
from functools import singledispatch

from actors.messages import (
    ClockMeasured,
    ClockStepped,
    ConnectionReplaced,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    Fact,
    FallbackBegun,
    FallbackEnded,
    FleetStarted,
    FleetStopped,
    LedgerSalvaged,
    Supervised,
)
from actors.messages.supervision import Event, State, Transition
from actors.pure.money import signed
from actors.pure.transition_line import transition_words


@singledispatch
def fleet_words(fact: Fact) -> str:
    """Return what happened, without time and actor."""
    return repr(fact)


@fleet_words.register
def _(fact: FleetStarted) -> str:
    bots = count(len(fact.bots), "bot")
    return f"up · mode {fact.mode} · {bots} · version {fact.version} · run {fact.execution}"


@fleet_words.register
def _(fact: FleetStopped) -> str:
    return f"down: {fact.reason}"


@fleet_words.register
def _(fact: LedgerSalvaged) -> str:
    left = f"{fact.rows_lost} lost, {fact.rows_dropped} without their order's beginning"
    return f"salvaged: {count(fact.rows_kept, 'row')} kept · {left} · {fact.quarantine}"


@fleet_words.register
def _(fact: ExchangeConnected) -> str:
    what = count(fact.subscriptions, "subscription")
    proven = f"{what} proven in {fact.proven_ms / 1000:.2f} s"
    if not fact.gap_ms:
        return f"connected · {proven}"
    return f"connected · {proven} · no prices for {fact.gap_ms / 1000:.1f} s"


@fleet_words.register
def _(fact: ExchangeDisconnected) -> str:
    return f"disconnected: {fact.reason}"


@fleet_words.register
def _(fact: ExchangeReconnecting) -> str:
    return f"attempt {fact.attempt} of {fact.attempts_max} in {fact.delay_ms / 1000:.2f} s"


@fleet_words.register
def _(fact: ConnectionReplaced) -> str:
    what = count(fact.subscriptions, "subscription")
    took_s = fact.took_ms / 1000
    return f"connection replaced ({fact.reason}) · {what} taken over in {took_s:.1f} s"


@fleet_words.register
def _(fact: FallbackBegun) -> str:
    silent_s = fact.silent_ms / 1000
    return f"{fact.symbol} is silent for {silent_s:.1f} s: asking for its price over REST"


@fleet_words.register
def _(fact: FallbackEnded) -> str:
    return f"{fact.symbol} speaks again · {count(fact.polls, 'price')} came over REST"


@fleet_words.register
def _(fact: ClockStepped) -> str:
    return f"{fact.reason}: prices, orders and the exchanges' time are asked for again"


@fleet_words.register
def _(fact: ClockMeasured) -> str:
    offset = signed(Decimal(fact.offset_ms), places=0)
    return f"{fact.exchange} is {offset} ms from us · round trip {fact.round_trip_ms} ms"


@fleet_words.register
def _(fact: Supervised) -> str:
    try:
        event, old, new = Event(fact.event), State(fact.old), State(fact.new)
    except ValueError:  # a word of another version
        return f"{fact.event}: {fact.old} to {fact.new} {fact.error}".rstrip()
    return transition_words(
        Transition(
            at_s=0.0,
            path=fact.path,
            incarnation=fact.incarnation,
            event=event,
            old=old,
            new=new,
            error=fact.error,
            consecutive=fact.consecutive,
            delay_s=fact.delay_ms / 1000,
            uptime_s=fact.uptime_ms / 1000,
            mailbox_depth=fact.mailbox_depth,
            next=fact.next,
        )
    )


def count(number: int, noun: str) -> str:
    """Return "1 order", "2 orders"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
