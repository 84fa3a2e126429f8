"""What bars an entry at the order gate, whatever `risk` said before. Pure.

Halts are looked at first, and as facts alone: the code that computed why is not asked
(R-37). Then what an operator paused or stopped, and the account stream's lease (I-11).
"""

from __future__ import annotations

import attrs

from actors.messages import (
    Attempted,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Fact,
    Filled,
    Halted,
    HaltLifted,
    Lease,
    OrderIntent,
)
from actors.pure.caps import Usage
from actors.pure.halts import Halts

Bar = tuple[str, str]  # code, reason


@attrs.define
class EntryBars:
    """The fold of all that keeps entries away. The lease is the account stream's word.

    To pause and to stop a bot are two things: taking back one leaves the other (R-40).
    """

    halts: Halts = attrs.Factory(Halts)
    usage: Usage = attrs.Factory(Usage)
    paused: dict[str, str] = attrs.Factory(dict[str, str])  # bot: why
    stopped: set[str] = attrs.Factory(set[str])
    flat: set[str] = attrs.Factory(set[str])  # ordered so, until they are resumed
    lease: Lease | None = None
    clock_doubt: str = ""  # why the venue's time cannot be trusted

    def apply(self, fact: Fact) -> None:
        """Take one fact, each fill once."""
        match fact:
            case Halted() | HaltLifted():
                self.halts.apply(fact)
                self.usage.apply(fact)
            case Attempted() | Filled():
                self.usage.apply(fact)
            case BotPaused(bot=bot, reason=reason):
                self.paused[bot] = reason or "paused by the operator"
            case BotFlattened(bot=bot):
                self.flat.add(bot)
            case BotResumed(bot=bot):
                self.paused.pop(bot, None)
                self.flat.discard(bot)
            case BotStopped(bot=bot):
                self.stopped.add(bot)
            case BotStarted(bot=bot):
                self.stopped.discard(bot)
            case _:
                pass

    def of(self, intent: OrderIntent, now_s: float, now_ms: int) -> Bar | None:
        """Return the code and the reason that forbid this entry, or None.

        `now_s` is this run's clock, `now_ms` the exchange's.
        """
        halted = self.halts.bar(intent.account, intent.bot, now_ms)
        if halted is not None:
            return halted
        if now_s > intent.valid_until_s:
            return "expired", f"decided {now_s - intent.price_s:.1f} s ago"
        if intent.bot in self.stopped:
            return "paused", "stopped by the operator"
        if intent.bot in self.flat:
            return "paused", "flattened by the operator"
        if intent.bot in self.paused:
            return "paused", self.paused[intent.bot]
        return self.lease_bar(intent.symbol, now_s)

    def lease_bar(self, symbol: str, now_s: float) -> Bar | None:
        """Return why the account stream's word allows nothing new, or None."""
        if self.clock_doubt:
            return "clock_uncertain", self.clock_doubt
        if self.lease is None or now_s > self.lease.valid_until_s:
            return "not_reconciled", "the account stream has not confirmed what is open"
        if symbol in self.lease.frozen:
            return "frozen", f"the venue and the ledger disagree about {symbol}"
        return None
