"""One line for people: when, who, and what happened. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from actors.messages import (
    Acknowledged,
    Attempted,
    Balanced,
    CancelRejected,
    CancelRequested,
    ClockMeasured,
    ClockStepped,
    Commanded,
    ConnectionReplaced,
    Corrected,
    Ended,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    ExitTriggered,
    Fact,
    FallbackBegun,
    FallbackEnded,
    Filled,
    FleetStarted,
    FleetStopped,
    Halted,
    HaltLifted,
    Intended,
    LedgerSalvaged,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    Reconciled,
    StopMoved,
    Supervised,
)
from actors.pure.fact_words import words
from actors.pure.transition_line import NAME_WIDTH

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def line(at_ms: int, actor: str, words: str, mode: str = "") -> str:
    """Return "12:00:37.481  feed:binance    disconnected"; the time of day is UTC.

    A mode other than the simulated one stands before the actor (R-44).
    Control characters become blanks: a venue's text must not forge a second line.
    """
    at = datetime.fromtimestamp(at_ms // 1000, tz=UTC)
    marked = f"{mode}  " if mode not in {"", "sim"} else ""
    time = f"{at:%H:%M:%S}.{at_ms % 1000:03d}"
    text = f"{time}  {marked}{actor:<{NAME_WIDTH}}  {words}"
    return on_one_line(text)


def on_one_line(text: str) -> str:
    """Return `text` with blanks for control characters."""
    return CONTROL.sub(" ", text)


def fact_line(at_ms: int, fact: Fact) -> str:
    """Return the line of one row of the ledger."""
    return line(at_ms, actor_of(fact), words(fact))


def actor_of(fact: Fact) -> str:
    """Return the actor whose line it is: "feed:binance", "bot:dawn", "orders:main"."""
    match fact:
        case Supervised():
            return fact.path.rsplit("/", 1)[-1]
        case ClockMeasured() | ClockStepped():
            return "clock"
        case FleetStarted() | FleetStopped():
            return "fleet"
        case Commanded():
            return "operator"
        case LedgerSalvaged():
            return "journal"
        case _:
            role, name = _ROLES.get(type(fact), ("bot", "bot"))
            return f"{role}:{getattr(fact, name, '')}"


_ROLES: Final[dict[type[Fact], tuple[str, str]]] = {
    ExchangeConnected: ("feed", "exchange"),
    ExchangeDisconnected: ("feed", "exchange"),
    ExchangeReconnecting: ("feed", "exchange"),
    ConnectionReplaced: ("feed", "exchange"),
    FallbackBegun: ("fallback", "exchange"),
    FallbackEnded: ("fallback", "exchange"),
    Filled: ("account", "account"),
    Balanced: ("account", "account"),
    Reconciled: ("account", "account"),
    Intended: ("orders", "account"),
    Attempted: ("orders", "account"),
    Acknowledged: ("orders", "account"),
    OutcomeUnknown: ("orders", "account"),
    CancelRequested: ("orders", "account"),
    CancelRejected: ("orders", "account"),
    Ended: ("orders", "account"),
    Corrected: ("account", "account"),
    Halted: ("account", "account"),
    HaltLifted: ("account", "account"),
    PositionOpened: ("positions", "account"),
    StopMoved: ("positions", "account"),
    ExitTriggered: ("positions", "account"),
    PositionClosed: ("positions", "account"),
}
