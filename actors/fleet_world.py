"""Everything outside that the stage introduces to the actors of one run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import attrs

from actors.messages import Fact, Instrument
from actors.messages.board import Alarmed
from actors.messages.supervision import Transition
from actors.ports import Desk, Market, Random, Trading, WallClock
from actors.ports_disk import EmergencyFile, Space
from actors.ports_store import Store
from actors.pure.market_view import Strategy
from actors.pure.owners import HOUSE


@attrs.define(eq=False)
class Venue:
    """One exchange as the stage introduces it. The mapping belongs to the catalogue."""

    market: Market
    trading: Callable[[str], Trading]  # by account, made when asked for
    instruments: dict[str, Instrument] = attrs.Factory(dict[str, Instrument])


@attrs.frozen(eq=False)
class OpenLedger:
    """One ledger, open: the store behind one journal, and the epoch of its order ids."""

    store: Store
    epoch: str


@attrs.frozen(eq=False)
class World:
    """Everything outside, ready to be introduced."""

    execution: str  # one per run
    epoch: str  # of the ledger
    clock: WallClock
    random: Random
    store: Store  # of the one ledger; with several owners, of the house's
    emergency: Mapping[str, EmergencyFile]  # beside the ledger, by account
    space: Space  # where the ledgers are
    venues: Mapping[str, Venue]
    desk: Desk
    tags: Mapping[str, str]  # that client order ids carry, by account
    strategies: Mapping[str, Callable[[], Strategy]]  # of each bot
    digests: Mapping[str, str]  # SHA-256 of the user's own strategies, by bot
    say: Callable[[str], None]  # the journal's own words, past the journal
    announce: Callable[[int, Fact | Alarmed], None]
    report: Callable[[Transition], None]
    is_stopping: Callable[[], bool]
    stopped_bots: frozenset[str] = frozenset()
    simulator: Callable[..., Awaitable[None]] | None = None  # its body, in mode "sim"
    ledgers: Mapping[str, OpenLedger] = attrs.Factory(dict[str, OpenLedger])  # of owners
    abandoned: tuple[Alarmed, ...] = ()  # what is held in ledgers that nobody opens

    def ledger(self, owner: str) -> OpenLedger:
        """Return the ledger of an owner who has a group, or of the house."""
        return OpenLedger(self.store, self.epoch) if owner == HOUSE else self.ledgers[owner]
