"""What happened. The journal tells these, in order, and nobody else does.

A fact is frozen and complete: state is a fold of facts (D-5). Every fact of one bot
carries `bot`, every fact of one account carries `account`; the journal routes by them.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages.legs import LegsIntended, LegsSettled
from actors.messages.market import ClockStepped
from actors.messages.operator_facts import (
    BotFlattened,
    Commanded,
    Corrected,
    Halted,
    HaltLifted,
)
from actors.messages.trade_facts import (
    Acknowledged,
    Attempted,
    Balanced,
    CancelRejected,
    CancelRequested,
    Ended,
    ExitTriggered,
    Filled,
    Intended,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    Reconciled,
    Refused,
    SignalGenerated,
    StopMoved,
)


@attrs.frozen
class FleetStarted:
    execution: str  # one per run
    mode: str
    bots: tuple[str, ...]
    version: str
    strategies: tuple[str, ...] = ()  # "BOT SHA-256" of each that is the user's own file
    pairs: tuple[str, ...] = ()  # that each of `bots` trades, as "kraken:BTC/USD"


@attrs.frozen
class FleetStopped:
    execution: str
    reason: str


@attrs.frozen
class LedgerSalvaged:
    """A damaged ledger was replaced by what could be read of it: this one (R-31)."""

    rows_kept: int
    rows_lost: int  # unreadable
    rows_dropped: int  # about orders whose beginning is lost
    quarantine: str  # the folder that holds the damaged files


@attrs.frozen
class ExchangeConnected:
    exchange: str
    attempt: int  # 0 at the first connection of a life
    subscriptions: int
    proven_ms: int  # from subscribing to the last first datum
    readers: int
    gap_ms: int  # how long they were without prices


@attrs.frozen
class ExchangeDisconnected:
    exchange: str
    reason: str


@attrs.frozen
class ExchangeReconnecting:
    exchange: str
    attempt: int
    attempts_max: int
    delay_ms: int


@attrs.frozen
class ConnectionReplaced:
    """A connection was closed after others had taken over all that it carried."""

    exchange: str
    reason: str
    subscriptions: int
    took_ms: int  # in which both were open
    echoes: int  # data that both told, shown once


@attrs.frozen
class FallbackBegun:
    """A stream is silent on a symbol; its prices now come over REST, marked so."""

    exchange: str
    symbol: str
    silent_ms: int


@attrs.frozen
class FallbackEnded:
    exchange: str
    symbol: str
    polls: int


@attrs.frozen
class PriceUpdated:
    """A price a bot saw. A sample: prices are replaced, not journalled one by one."""

    bot: str
    symbol: str
    price: Decimal
    bid: Decimal
    ask: Decimal
    volume: Decimal
    timestamp: int  # exchange's Unix ms
    exchange: str = ""  # "" in old ledgers


@attrs.frozen
class BotPaused:
    bot: str
    account: str
    reason: str


@attrs.frozen
class BotResumed:
    bot: str
    account: str


@attrs.frozen
class BotStopped:
    """An operator stopped the bot; it stays stopped over restarts until started."""

    bot: str
    account: str


@attrs.frozen
class BotStarted:
    bot: str
    account: str


@attrs.frozen
class ClockMeasured:
    exchange: str
    offset_ms: int
    round_trip_ms: int


@attrs.frozen
class Supervised:
    """One transition of one actor, as the supervision log tells it."""

    path: str
    incarnation: int
    event: str
    old: str
    new: str
    error: str
    consecutive: int
    delay_ms: int
    uptime_ms: int
    mailbox_depth: int
    next: str


Fact = (
    FleetStarted
    | FleetStopped
    | LedgerSalvaged
    | ExchangeConnected
    | ExchangeDisconnected
    | ExchangeReconnecting
    | ConnectionReplaced
    | FallbackBegun
    | FallbackEnded
    | PriceUpdated
    | SignalGenerated
    | Refused
    | Intended
    | Attempted
    | Acknowledged
    | OutcomeUnknown
    | Filled
    | CancelRequested
    | CancelRejected
    | Ended
    | PositionOpened
    | StopMoved
    | ExitTriggered
    | PositionClosed
    | BotPaused
    | BotResumed
    | BotStopped
    | BotStarted
    | BotFlattened
    | Commanded
    | Corrected
    | Halted
    | HaltLifted
    | LegsIntended
    | LegsSettled
    | Balanced
    | Reconciled
    | ClockMeasured
    | ClockStepped
    | Supervised
)


@attrs.frozen
class Told:
    """A fact on its way to one reader. `previous_seq` is the last one told to it."""

    seq: int
    previous_seq: int
    fact: Fact
    at_ms: int = 0  # our wall clock when it was recorded
    teller: str = "journal"  # the journal that tells it; each has numbers of its own
