"""SAFE mode of one account: exits go by the emergency file where the ledger takes nothing.

[orders] --Intended, Attempted, outcomes--> [safe] --Record---> journal
journal  --LedgerState (latest)-----------> [safe] --bytes----> emergency file
                                            [safe] --Alarmed--> board

Nothing leaves that is not durable in one of the two (I-2); entries, and sales that are half
of a group of legs, never go by the file.
What is in it is recorded as soon as the ledger takes it, in order and before anything else
of this account, and at every start; keys make it harmless that some of it is known. Until
then SAFE mode lasts: the ledger lacks what these orders did.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import attrs
import trio

from actors.errors import BrokenInvariant
from actors.mailbox import Mailbox
from actors.messages import Alarmed, Ended, Fact, Filled
from actors.messages.ledger import LedgerState
from actors.ports_disk import EmergencyFile
from actors.pure.fact_record import pack, unpack
from actors.pure.facts import UnreadableFact
from actors.pure.order_gate import Gate
from actors.records import JournalDown, JournalWish, record

EXIT_S = 0.5  # an exit's longest wait for the ledger
KEEP_S = 0.5  # then for the file
ENTRY_S = 1.0  # an entry's wait for the ledger; exits may stand behind it
NOTE_S = 1.0  # where no order depends on it
SILENT_S = 5.0  # after a failure nobody asks the ledger for so long, unless it speaks
CALM_S = 2.0  # after a failure, however soon it speaks
TURN_S = 1.0  # between tries to empty the file
READ_S = 6.0  # for the file to be read, and the ledger to take it


class EmergencyUnreadable(BrokenInvariant):
    """The emergency file holds what this version cannot read; a newer Shoal wrote it."""


@attrs.define(eq=False)
class SafeMode:
    """The ledger as one life of the orders actor sees it, and what stands in for it."""

    actor: str
    account: str
    journal: Mailbox[JournalWish]
    gate: Gate
    file: EmergencyFile
    board: Mailbox[Any] | None = None
    state: LedgerState = attrs.Factory(LedgerState)  # the journal's newest word
    holds: int = 0  # facts in the file that the ledger may lack
    lost: int = 0  # facts that neither took
    _kept: int = 0  # facts given to the file, ever
    _failed_s: float = -inf
    _silent_until_s: float = -inf
    _why: str = ""
    _shown: str | None = None  # the reason people were told; None: by a life before

    @property
    def reason(self) -> str:
        """Why only exits may be sent; "" when all is well."""
        if self._is_silent:
            return f"the ledger did not take what it was given ({self._why})"
        if self.state.safe_because:
            return self.state.safe_because
        if self.holds:
            return f"the emergency file holds {self.holds} facts that the ledger lacks"
        return ""

    def hear(self, state: LedgerState) -> None:
        """Take the journal's newest word about its disk."""
        self.state = state
        if not state.safe_because:
            self.found()
        self.show()

    def found(self) -> None:
        """Take that the ledger takes rows: a moment later it is trusted again."""
        self._silent_until_s = min(self._silent_until_s, self._failed_s + CALM_S)

    async def recover(self) -> Sequence[Fact]:
        """Take what an earlier life left in the file, and bring it into the ledger.

        Raises:
          OSError: the file cannot be read; without it nobody knows what was sent.
          EmergencyUnreadable: a newer Shoal wrote it.
        """
        with trio.fail_after(READ_S):
            facts = _facts(await self.file.read())
        for fact in facts:
            self.gate.apply(fact)
        self.holds += len(facts)
        if facts:
            await self._empty()
        return facts

    async def keep_emptied(self) -> None:
        """Bring what the file holds into the ledger, again and again, until cancelled."""
        while True:
            self.show()
            await trio.sleep(TURN_S)
            if self.holds:
                await self._empty()

    async def enter(self, *facts: Fact) -> str:
        """Make facts durable in the ledger; return why not, "" when they are."""
        why = self.reason or await self._record(facts, ENTRY_S)
        await trio.lowlevel.checkpoint()
        return why

    async def exit(self, *facts: Fact) -> str:
        """Make facts durable in the ledger or in the file; return why not, or ""."""
        why = ""
        if self._is_passed_over or await self._record(facts, EXIT_S):
            why = await self._keep(facts)
        await trio.lowlevel.checkpoint()
        return why

    async def settle(self, facts: Sequence[Fact], *, within_s: float) -> bool:
        """Make durable what became of orders, and tell whether it is.

        The file takes no fills: the account's next pass finds them at the venue, and books
        them in the order that everybody is told.
        """
        await trio.lowlevel.checkpoint()
        if not facts:
            return True
        if not self._is_passed_over and not await self._record(facts, within_s):
            return True
        words = [fact for fact in facts if not isinstance(fact, Filled)]
        if words and await self._keep(words):
            self.lost += len(words)
            return False
        for fact in words:
            self.gate.apply(_early(fact))
        return True

    async def note(self, fact: Fact) -> None:
        """Record what no order depends on, if the ledger answers."""
        is_known = self._is_silent or not self.state.takes_rows
        if is_known or await self._record((fact,), NOTE_S):
            self.lost += 1
        await trio.lowlevel.checkpoint()

    def show(self) -> None:
        """Show people that SAFE mode begins, why, and that it is over."""
        reason = self.reason
        if reason == self._shown:
            return
        said = self._shown or "the ledger takes orders"
        self._shown = reason
        text = f"SAFE mode of {self.account}: {reason or said}"
        if reason:
            text += "; entries are refused, exits and cancels go on"
        if self.lost:
            text += f" ({self.lost} facts were not recorded)"
        self.alarm("safe_mode", text, is_over=not reason)

    def alarm(self, code: str, text: str, *, is_over: bool) -> None:
        """Post an alarm about this account to the board."""
        if self.board is not None:
            alarm = Alarmed(self.actor, code, self.account, text, is_over)
            self.board.latest((Alarmed, alarm.actor, code, alarm.subject), alarm)

    @property
    def _is_silent(self) -> bool:
        return trio.current_time() < self._silent_until_s

    @property
    def _is_passed_over(self) -> bool:
        """Whether the file is next: the ledger takes nothing, or lacks what was before.

        What became of an order must not reach the ledger before its attempt does.
        """
        return bool(self.holds) or self._is_silent or not self.state.takes_rows

    async def _record(self, facts: Sequence[Fact], within_s: float) -> str:
        try:
            with trio.fail_after(within_s):
                await record(self.journal, *facts)
        except (JournalDown, trio.TooSlowError) as error:
            why = str(error) or f"no durable acknowledgement within {within_s:g} s"
            self._fail(why)
            await trio.lowlevel.checkpoint()
            return why
        self.found()
        return ""

    def _fail(self, why: str) -> None:
        self._why, self._failed_s = why, trio.current_time()
        self._silent_until_s = self._failed_s + SILENT_S
        self.show()

    async def _keep(self, facts: Sequence[Fact]) -> str:
        """Put facts into the file; return why not, "" when they are on the disk.

        Where that is not known they are looked for with the others.
        """
        self.holds += len(facts)
        self._kept += len(facts)
        why = f"the disk did not take it within {KEEP_S:g} s"
        with trio.move_on_after(KEEP_S):
            try:
                await self.file.append(pack(facts))
                why = ""
            except OSError as error:
                why = error.strerror or str(error)
                await trio.lowlevel.checkpoint()
        self.show()
        return why

    async def _empty(self) -> None:
        """Bring all into the ledger, then forget it; a crash in between is harmless."""
        try:
            with trio.fail_after(READ_S):
                await trio.lowlevel.checkpoint()
                while self.holds:
                    kept = self._kept
                    records = await self.file.read()
                    if records:
                        await record(self.journal, *_facts(records))
                        await self.file.clear(len(records))
                    elif kept == self._kept:
                        self.holds = 0
            self.found()
        except JournalDown as error:
            self._fail(str(error))
            await trio.lowlevel.checkpoint()
        except (OSError, trio.TooSlowError):
            await trio.lowlevel.checkpoint()  # the next turn tries again
        self.show()


def _early(fact: Fact) -> Fact:
    """Return what may be believed before the ledger tells it, perhaps in other words."""
    return attrs.evolve(fact, code="", reason="") if isinstance(fact, Ended) else fact


def _facts(records: Sequence[bytes]) -> tuple[Fact, ...]:
    try:
        return tuple(fact for record in records for fact in unpack(record))
    except UnreadableFact as error:
        raise EmergencyUnreadable(str(error)) from error
