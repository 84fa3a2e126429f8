"""What the readers of one exchange want, kept where a crashed feed can find it again.

bot, risk, positions --Wanted (latest)--> [demand] --> feed, fallback

The stage owns it, as it owns mailboxes: a feed's next life recalls its demand from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from actors.mailbox import Mailbox
from actors.messages import Wanted


class Demand:
    """The newest `Wanted` of every reader."""

    def __init__(self, exchange: str, mailboxes: Sequence[Mailbox[Any]]) -> None:
        self.exchange = exchange
        self._mailboxes = tuple(mailboxes)
        self._wanted: dict[str, Wanted] = {}

    def want(self, wanted: Wanted) -> None:
        """Remember and post it; wanting nothing forgets the reader."""
        if wanted.subscriptions:
            self._wanted[wanted.reader] = wanted
        else:
            self._wanted.pop(wanted.reader, None)
        for mailbox in self._mailboxes:
            mailbox.latest(("wanted", wanted.reader), wanted)

    def current(self) -> Mapping[str, Wanted]:
        """Return what everybody wants now."""
        return MappingProxyType(self._wanted)
