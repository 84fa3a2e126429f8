"""What actors show to people: posted to the board, replaced by the next of its key.

Nothing is decided by these. What must be kept is a fact.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import attrs

from actors.messages.orders import Signal


class Outcome(Enum):
    """What became of one evaluation; SENT is answered by one of the others."""

    HOLD = "hold"
    SENT = "sent"  # an intent is on its way
    ORDERED = "ordered"
    REFUSED = "refused"


@attrs.frozen
class Evaluated:
    """The last evaluation of one bot, and why it did or did not trade."""

    bot: str
    account: str
    symbol: str
    number: int  # evaluations of this life of the bot; 0 before the first
    outcome: Outcome
    signal: Signal | None  # None when the strategy was not asked
    order_id: str  # client order id, once there is one
    code: str  # of a refusal, or why the strategy was not asked
    reasons: tuple[str, ...]
    price: Decimal  # 0 when there is none
    at_s: float  # monotonic
    repeated: int  # times the outcome before was the same


@attrs.frozen
class PositionSeen:
    """One open position at the last check, with what it would bring now."""

    bot: str
    account: str
    symbol: str
    position_id: str
    entry: Decimal
    base: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing_stop: Decimal | None  # percent
    price: Decimal | None  # None without a fresh one
    unrealized_pnl: Decimal | None
    is_exiting: bool


@attrs.frozen
class Asked:
    """What an operator typed; it changes nothing before its facts are durable."""

    verb: str
    subject: str = ""  # an actor, a bot or an account
    reason: str = ""
    by: str = ""  # the user at the other end
    key: str = ""  # typed again under the same, it is answered again and not done again
    bot: str = ""  # whose it shall be
    outcome: str = ""  # as what an order is settled: not-placed, canceled, filled
    price: str = ""  # at which it was filled, quote per base
    is_blind: bool = False  # settle although the exchange does not answer
    is_sure: bool = False  # else only say what would be done


AlarmId = tuple[str, str, str]  # actor, code, subject


@attrs.frozen
class Alarmed:
    """Something a person must know now; `is_over` takes it back."""

    actor: str
    code: str
    subject: str  # what it is about: a symbol, a bot
    text: str
    is_over: bool = False
