"""Find what is held on accounts that no bot trades on any more: nothing guards it. Pure.

An account without a bot has no actors. What its bots had bought is in the ledger, and
nobody else there would ever speak of it.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from actors.messages import Corrected, Fact, Filled, PositionClosed
from actors.messages.board import Alarmed
from actors.pure.money import plain
from actors.pure.position_math import Holdings


@attrs.define
class Abandoned:
    """The holdings of accounts that are not traded on."""

    accounts: Collection[str]  # that some bot trades on
    held: dict[str, Holdings] = attrs.Factory(dict[str, Holdings])  # by account

    def apply(self, fact: Fact) -> None:
        """Take one fact; only those of an abandoned account are kept."""
        match fact:
            case Filled() | PositionClosed() | Corrected():
                if fact.account not in self.accounts:
                    self.held.setdefault(fact.account, Holdings()).apply(fact)
            case _:
                pass

    def alarms(self, actor: str) -> list[Alarmed]:
        """Return one for each account on which something is held, said by `actor`."""
        alarms: list[Alarmed] = []
        for account, holdings in sorted(self.held.items()):
            held = ", ".join(
                f"{plain(base)} {symbol} of {bot}"
                for bot, symbol in sorted(holdings.open)
                if (base := holdings.of(bot, symbol).base)
            )
            if held:
                text = f"{account} holds {held}, and no bot trades on it: nothing guards"
                text += f" that until one trades on {account} again"
                alarms.append(Alarmed(actor, "abandoned", account, text))
        return alarms
