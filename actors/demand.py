"""What the readers of one exchange want, kept where a crashed feed can find it again.

bot, risk, positions --Wanted (latest)--> [demand] --> feed, fallback

The stage owns it, as it owns mailboxes: a feed's next life recalls its demand from here.
A follower, which reads whatever the others trade, keeps no symbol subscribed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from actors.mailbox import Mailbox
from actors.messages import Subscription, Wanted


class Demand:
    """The newest `Wanted` of every reader."""

    def __init__(self, exchange: str, mailboxes: Sequence[Mailbox[Any]]) -> None:
        self.exchange = exchange
        self._mailboxes = tuple(mailboxes)
        self._wanted: dict[str, Wanted] = {}
        self._followers: dict[str, Wanted] = {}  # with all they would ever read

    def want(self, wanted: Wanted) -> None:
        """Remember and post it; wanting nothing forgets the reader."""
        if wanted.is_follower:
            self._followers[wanted.reader] = wanted
        else:
            self._followers.pop(wanted.reader, None)
            self._post(wanted)
        self._follow()

    def current(self) -> Mapping[str, Wanted]:
        """Return what everybody wants now."""
        return MappingProxyType(self._wanted)

    def _follow(self) -> None:
        """Let each follower want what others want of its symbols."""
        leading: set[Subscription] = set()
        for reader, wanted in self._wanted.items():
            if reader not in self._followers:
                leading |= wanted.subscriptions
        for reader, follower in self._followers.items():
            shared = attrs.evolve(follower, subscriptions=follower.subscriptions & leading)
            before = self._wanted.get(reader)
            if (before.subscriptions if before else frozenset()) != shared.subscriptions:
                self._post(shared)

    def _post(self, wanted: Wanted) -> None:
        if wanted.subscriptions:
            self._wanted[wanted.reader] = wanted
        else:
            self._wanted.pop(wanted.reader, None)
        for mailbox in self._mailboxes:
            mailbox.latest(("wanted", wanted.reader), wanted)
