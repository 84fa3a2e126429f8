"""What stops a bot or a whole account, and what an operator ordered: facts of their own.

They hold until another fact ends them, over restarts and whoever asked for them (R-40).
"""

from __future__ import annotations

from decimal import Decimal

import attrs


@attrs.frozen
class Commanded:
    """An operator's command and its answer, recorded with all that it changed (S-8)."""

    bot: str  # "" where it is about no single bot
    account: str
    verb: str
    subject: str
    reason: str
    by: str  # who typed it
    key: str  # a command is carried out once under each
    said: str


@attrs.frozen
class Halted:
    """No entry of a bot, or of its whole account, leaves any more. Exits go on (I-12)."""

    bot: str  # "" is every bot of the account
    account: str
    code: str  # what was reached: "daily_loss", "orders_per_minute" …, or "operator"
    reason: str
    until_ms: int = 0  # of the exchange's clock; 0 is until an operator lifts it


@attrs.frozen
class HaltLifted:
    """An operator lifted one halt; what had reached its limit is counted anew."""

    bot: str  # as of the halt
    account: str
    code: str
    reason: str = ""


@attrs.frozen
class BotFlattened:
    """An operator ordered a bot flat: it enters nothing and is sold out until resumed."""

    bot: str
    account: str
    reason: str


@attrs.frozen
class Corrected:
    """An operator took back what the exchange no longer holds: it leaves at its cost."""

    bot: str
    account: str
    symbol: str
    base: Decimal  # what is taken from the bot's position, > 0
    reason: str
    number: int = 0  # among the account's corrections of this asset; 0: of an old ledger
