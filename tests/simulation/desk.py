"""The operator of a run: gives commands, and knows what was answered.

What counts is the answer: once a fleet has said that a bot is paused, no entry of it may
leave, over crashes, deaths and restarts, until the operator asks for the opposite (R-40).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import trio

from actors.messages.board import Asked

ACCOUNT: Final = "main"
ENDS: Final = {"resume": ("pause", "halt", "flatten"), "start": ("stop",)}
BARS: Final = frozenset({"pause", "halt", "stop", "flatten"})
AGAIN: Final = "type it again"
COMMANDS_MAX: Final = 64  # that wait for the fleet's answer


@attrs.frozen
class Command:
    """An operator types something."""

    at_s: float
    verb: str  # pause, resume, start, stop, halt …
    subject: str  # a bot, or the account


@attrs.define
class OperatorWord:
    """What was forbidden, and since when, as the operator was told."""

    since_s: dict[tuple[str, str], float] = attrs.Factory(dict[tuple[str, str], float])

    def asks(self, verb: str, subject: str) -> None:
        """Take that the operator asks; what may have been allowed is not blamed."""
        for ended in ENDS.get(verb, ()):
            self.since_s.pop((ended, subject), None)

    def hears(self, verb: str, subject: str, now_s: float, bots: Sequence[str]) -> None:
        """Take that a fleet of these bots has said yes; what was asked before is over."""
        self.asks(verb, subject)
        each_bot = verb == "flatten" and subject == ACCOUNT  # each is resumed by itself
        for name in bots if each_bot else (subject,):
            if verb in BARS:
                self.since_s.setdefault((verb, name), now_s)

    def bar(self, bot: str, at_s: float) -> str:
        """Return what forbade an entry of `bot` at that time, or ""."""
        for (verb, subject), since_s in self.since_s.items():
            if subject in {ACCOUNT, bot} and since_s <= at_s:
                return f"{subject} was told to {verb}"
        return ""


class SimDesk:
    """Implements `actors.ports.Desk` for one process; what it said is known to `word`."""

    def __init__(
        self,
        word: OperatorWord,
        awake_s: Callable[[], float],
        is_alive: Callable[[], bool],
        note: Callable[[str], None],
        bots: Sequence[str],
    ) -> None:
        self._word = word
        self._bots = bots
        self._awake_s = awake_s
        self._is_alive = is_alive
        self._note = note
        self._typed, self._waiting = trio.open_memory_channel[Command](COMMANDS_MAX)

    def type(self, command: Command) -> None:
        """Let the operator type a command; one too many is forgotten."""
        self._word.asks(command.verb, command.subject)
        try:
            self._typed.send_nowait(command)
        except trio.WouldBlock:
            self._note("the operator gave up")

    async def serve(self, ask: Callable[[Asked], Awaitable[Mapping[str, Any]]]) -> None:
        """Ask one thing after the other, and remember what was promised."""
        async for command in self._waiting:
            verb, subject = command.verb, command.subject
            answer = await ask(Asked(verb, subject, "a test", "tester", is_sure=True))
            if not self._is_alive():
                return
            self._note(f"operator {verb} {subject}: {dict(answer)}")
            if AGAIN in str(answer.get("said", "")):
                continue  # it sold, and could promise nothing: the ledger takes nothing
            if "said" in answer:
                self._word.hears(verb, subject, self._awake_s(), self._bots)
