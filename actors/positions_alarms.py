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
UNLISTED, BUSY = "unlisted", "orders_busy"
CODES = (UNGUARDED, UNPROTECTED, UNLISTED, BUSY)


@attrs.define(eq=False)
class GuardAlarms:
    """The alarms of one life of the position monitor."""

    actor: str
    board: Mailbox[Any]
    _now: dict[tuple[str, str], str] = attrs.Factory(dict[tuple[str, str], str])

    def recalled(self, guards: Iterable[Guard]) -> None:
        """Take back, where it is over, what the life before may have said."""
        for guard in guards:
            for code in CODES:
                self._now[code, _subject(guard)] = "of the life before"

    def look(self, guard: Guard, price: Decimal | None, now_s: float) -> None:
        """Say once per gap what one position is without, and once that it is not."""
        bot, symbol = guard.ward.bot, guard.ward.symbol
        text = f"{bot} holds {symbol} without a fresh price" if price is None else ""
        over = f"{bot}'s {symbol} has a fresh price again"
        self._tell(UNGUARDED, _subject(guard), text, over)
        self.protection(guard, now_s)

    def protection(self, guard: Guard, now_s: float) -> None:
        """Say whether the exchange holds the stop that it should (I-14)."""
        bot, symbol = guard.ward.bot, guard.ward.symbol
        why = guard.stop.trouble(now_s) if guard.is_restless(now_s) else ""
        text = why and f"{bot}'s {symbol} has no stop at the exchange, only here: {why}"
        over = f"{bot}'s {symbol} needs no other stop now"
        self._tell(UNPROTECTED, _subject(guard), text, over)

    def unlisted(self, owners: Iterable[tuple[str, str]]) -> None:
        """Say what nobody guards, because the exchange does not list it (R-14)."""
        now = {f"{bot} {symbol}": (bot, symbol) for bot, symbol in owners}
        for subject, (bot, symbol) in now.items():
            text = f"{bot} holds {symbol}, which the exchange does not list"
            self._tell(UNLISTED, subject, f"{text}: nothing here guards it", "")
        for code, subject in tuple(self._now):
            if code == UNLISTED and subject not in now:
                self._tell(UNLISTED, subject, "", f"{subject} is listed, or held no more")

    def busy(self, guard: Guard, wait_s: float) -> None:
        """Say that nobody took an exit."""
        text = f"the orders actor took no wish of {guard.ward.bot} for {wait_s:g} s"
        self._tell(BUSY, _subject(guard), text, "")

    def served(self, guard: Guard) -> None:
        """Take back that nobody took an exit."""
        self._tell(BUSY, _subject(guard), "", "the orders actor takes wishes again")

    def over(self, guard: Guard) -> None:
        """Take back what was said of a position that is gone."""
        for code in CODES:
            self._tell(code, _subject(guard), "", f"{guard.ward.bot}'s position is closed")

    def _tell(self, code: str, subject: str, text: str, over: str) -> None:
        before = self._now.get((code, subject), "")
        if text == before:
            return
        if text:
            self._now[code, subject] = text
        else:
            del self._now[code, subject]
        alarm = Alarmed(self.actor, code, subject, text or over, is_over=not text)
        self.board.latest((Alarmed, alarm.actor, code, subject), alarm)


def _subject(guard: Guard) -> str:
    """Return what it is about: a bot may still hold of a symbol that it traded before."""
    return f"{guard.ward.bot} {guard.ward.symbol}"
