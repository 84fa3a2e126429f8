"""What a person is told of positions that are guarded less well than they should be.

[positions] --guards--> [alarms] --Alarmed (latest)--> board

Each is said when it begins or changes, and taken back when it is over, or the position is.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from actors.mailbox import Mailbox
from actors.messages import Alarmed
from actors.pure.guard import Guard

UNGUARDED, UNPROTECTED = "unguarded", "unprotected"


@attrs.define(eq=False)
class GuardAlarms:
    """The alarms of one life of the position monitor."""

    actor: str
    board: Mailbox[Any]
    _now: dict[tuple[str, str], str] = attrs.Factory(dict[tuple[str, str], str])

    def recalled(self, guards: Iterable[Guard]) -> None:
        """Take back, where it is over, what the life before may have said."""
        for guard in guards:
            for code in (UNGUARDED, UNPROTECTED):
                self._now[code, guard.ward.bot] = "of the life before"

    def look(self, guard: Guard, price: Decimal | None, now_s: float) -> None:
        """Say once per gap what one position is without, and once that it is not."""
        bot, symbol = guard.ward.bot, guard.ward.symbol
        text = f"{bot} holds {symbol} without a fresh price" if price is None else ""
        self._tell(UNGUARDED, bot, text, f"{bot}'s {symbol} has a fresh price again")
        self.protection(guard, now_s)

    def protection(self, guard: Guard, now_s: float) -> None:
        """Say whether the exchange holds the stop that it should (I-14)."""
        bot, symbol = guard.ward.bot, guard.ward.symbol
        why = guard.stop.trouble(now_s) if guard.is_restless(now_s) else ""
        text = why and f"{bot}'s {symbol} has no stop at the exchange, only here: {why}"
        self._tell(UNPROTECTED, bot, text, f"{bot}'s {symbol} needs no other stop now")

    def busy(self, guard: Guard, wait_s: float) -> None:
        """Say that nobody took an exit."""
        text = f"the orders actor took no wish of {guard.ward.bot} for {wait_s:g} s"
        self._post("orders_busy", guard.ward.bot, text, is_over=False)

    def over(self, bot: str) -> None:
        """Take back what was said of a position that is gone."""
        for code in (UNGUARDED, UNPROTECTED):
            self._tell(code, bot, "", f"{bot}'s position is closed")

    def _tell(self, code: str, bot: str, text: str, over: str) -> None:
        before = self._now.get((code, bot), "")
        if text == before:
            return
        if text:
            self._now[code, bot] = text
        else:
            del self._now[code, bot]
        self._post(code, bot, text or over, is_over=not text)

    def _post(self, code: str, bot: str, text: str, *, is_over: bool) -> None:
        alarm = Alarmed(self.actor, code, bot, text, is_over)
        self.board.latest((Alarmed, alarm.actor, code, alarm.subject), alarm)
