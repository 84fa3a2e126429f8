"""What people look at: the fleet as a fold of its facts, live or from the ledger. Pure.

`shoal status` shows this fold, the board's while the fleet runs and the ledger's
afterwards, so both tell the same story. What is not a fact (ages of prices, states of
actors now) the board adds to its own.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from itertools import zip_longest

import attrs

from actors.messages import (
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    ClockMeasured,
    Commanded,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    ExitTriggered,
    Fact,
    FallbackBegun,
    FallbackEnded,
    FleetStarted,
    FleetStopped,
    Halted,
    HaltLifted,
    Pair,
    PositionClosed,
    PositionOpened,
    PriceUpdated,
    Reconciled,
    StopMoved,
    Supervised,
)
from actors.pure.bot_seen import BotSeen, show_command, show_order, show_position
from actors.pure.halts import Halts
from actors.pure.order_sheet import Orders
from actors.pure.owners import HOUSE
from actors.pure.position_math import Holdings

COMMANDS_MAX = 1_000  # remembered, so that one typed again is not done again


@attrs.define
class PriceSeen:
    price: Decimal
    at_ms: int
    source: str = "stream"


@attrs.define
class ExchangeSeen:
    """One exchange: its link, and the newest price of each symbol."""

    is_connected: bool = False
    link: str = "not connected yet"
    since_ms: int = 0
    disconnects: int = 0
    offset_ms: int | None = None  # its time minus ours, as last measured
    round_trip_ms: int = 0
    fallback: set[str] = attrs.Factory(set[str])

    def note(self, fact: FallbackBegun | FallbackEnded | ClockMeasured) -> None:
        """Take what was heard of it besides its stream."""
        match fact:
            case FallbackBegun(symbol=symbol):
                self.fallback.add(symbol)
            case FallbackEnded(symbol=symbol):
                self.fallback.discard(symbol)
            case ClockMeasured():
                self.offset_ms, self.round_trip_ms = fact.offset_ms, fact.round_trip_ms


@attrs.define
class AccountSeen:
    reconciled_ms: int = 0
    why: str = ""
    open_orders: int = 0
    foreign_orders: int = 0
    drifts: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()  # a line for each of the first of them


@attrs.define
class ActorSeen:
    """One actor as its last transition left it."""

    state: str
    incarnation: int
    consecutive: int
    error: str
    at_ms: int


@attrs.define
class ReadModel:
    """The fold. `apply` takes every fact of one ledger, in order."""

    execution: str = ""
    mode: str = ""
    version: str = ""
    started_ms: int = 0
    stopped: str = ""  # why the run ended; "" while it runs, or after a kill -9
    seq: int = 0
    prices: dict[Pair, PriceSeen] = attrs.Factory(dict[Pair, PriceSeen])
    exchanges: dict[str, ExchangeSeen] = attrs.Factory(dict[str, ExchangeSeen])
    bots: dict[str, BotSeen] = attrs.Factory(dict[str, BotSeen])
    accounts: dict[str, AccountSeen] = attrs.Factory(dict[str, AccountSeen])
    actors: dict[str, ActorSeen] = attrs.Factory(dict[str, ActorSeen])
    paths: dict[str, str] = attrs.Factory(dict[str, str])  # of actors, by their names
    restarts: int = 0
    halts: Halts = attrs.Factory(Halts)
    commands: OrderedDict[str, Commanded] = attrs.Factory(OrderedDict[str, Commanded])
    owners: dict[str, str] = attrs.Factory(dict[str, str])  # of accounts, if several
    bot_owners: dict[str, str] = attrs.Factory(dict[str, str])
    holdings: Holdings = attrs.Factory(Holdings)
    orders: Orders = attrs.Factory(Orders)

    def apply(self, fact: Fact, at_ms: int, owner: str = HOUSE) -> None:
        """Take one fact, told or stored at `at_ms`, from the ledger of `owner`."""
        self._note_owner(fact, owner)
        match fact:
            case FleetStarted() | FleetStopped():
                self._fleet(fact, at_ms, owner)
            case Halted() | HaltLifted() | Commanded():
                self._ordered(fact)
            case Supervised():
                self._supervised(fact, at_ms)
            case Reconciled():
                self.accounts[fact.account] = AccountSeen(
                    at_ms,
                    fact.why,
                    fact.open_orders,
                    fact.foreign_orders,
                    fact.drifts,
                    fact.foreign,
                )
            case PriceUpdated():
                self._price(fact, at_ms)
            case ExchangeConnected() | ExchangeDisconnected() | ExchangeReconnecting():
                self._exchange(fact, at_ms)
            case FallbackBegun() | FallbackEnded() | ClockMeasured():
                self._exchange_of(fact.exchange).note(fact)
            case _:
                self._bot(fact, at_ms)

    def bot(self, name: str) -> BotSeen:
        """Return what is known of a bot, which may be nothing yet."""
        return self.bots.setdefault(name, BotSeen())

    def _note_owner(self, fact: Fact, owner: str) -> None:
        if owner == HOUSE:
            return
        for name, owners in (("account", self.owners), ("bot", self.bot_owners)):
            if whose := getattr(fact, name, ""):
                owners[whose] = owner

    def _price(self, fact: PriceUpdated, at_ms: int) -> None:
        pair = Pair(fact.exchange, fact.symbol)
        known = self.prices.get(pair)
        if known is None or known.at_ms <= at_ms:  # ledgers are read one after the other
            self.prices[pair] = PriceSeen(fact.price, at_ms)

    def _exchange_of(self, name: str) -> ExchangeSeen:
        return self.exchanges.setdefault(name, ExchangeSeen())

    def _fleet(self, fact: FleetStarted | FleetStopped, at_ms: int, owner: str) -> None:
        if owner != HOUSE:  # the house's ledger tells of the whole fleet
            names = fact.bots if isinstance(fact, FleetStarted) else ()
            self.bot_owners |= dict.fromkeys(names, owner)
            return
        if isinstance(fact, FleetStopped):
            self.stopped = fact.reason
            for exchange in self.exchanges.values():
                exchange.is_connected, exchange.link = False, "the fleet stopped"
            return
        self.execution, self.mode, self.version = fact.execution, fact.mode, fact.version
        self.started_ms, self.stopped, self.restarts = at_ms, "", 0
        self.actors.clear()
        self.paths.clear()
        self.exchanges.clear()
        for name, pair in zip_longest(fact.bots, fact.pairs, fillvalue=""):
            bot = self.bot(name)
            if pair:
                bot.exchange, _, bot.symbol = pair.rpartition(":")

    def _ordered(self, fact: Halted | HaltLifted | Commanded) -> None:
        self.halts.apply(fact)
        if isinstance(fact, Commanded) and fact.key:
            self.commands[fact.key] = fact
            if len(self.commands) > COMMANDS_MAX:
                self.commands.popitem(last=False)

    def _supervised(self, fact: Supervised, at_ms: int) -> None:
        before = self.actors.get(fact.path)
        if fact.event == "ready" and before is not None and fact.incarnation > 1:
            self.restarts += 1
        self.paths[fact.path.rpartition("/")[2]] = fact.path
        error = fact.error or (before.error if before is not None else "")
        self.actors[fact.path] = ActorSeen(
            fact.new, fact.incarnation, fact.consecutive, error, at_ms
        )

    def _exchange(
        self,
        fact: ExchangeConnected | ExchangeDisconnected | ExchangeReconnecting,
        at_ms: int,
    ) -> None:
        seen = self._exchange_of(fact.exchange)
        match fact:
            case ExchangeConnected():
                seen.is_connected, seen.link, seen.since_ms = True, "connected", at_ms
                seen.fallback.clear()  # every subscription was proven by the stream
            case ExchangeDisconnected(reason=reason):
                seen.disconnects += seen.is_connected  # not each failed attempt
                seen.is_connected, seen.link, seen.since_ms = False, reason, at_ms
            case ExchangeReconnecting(attempt=attempt, attempts_max=attempts_max):
                seen.link += f" · attempt {attempt} of {attempts_max}"

    def _bot(self, fact: Fact, at_ms: int) -> None:
        name: str | None = getattr(fact, "bot", None)
        if not name:
            return
        bot = self.bot(name)
        bot.symbol = getattr(fact, "symbol", bot.symbol) or bot.symbol
        bot.exchange = getattr(fact, "exchange", bot.exchange) or bot.exchange
        bot.account = getattr(fact, "account", bot.account)
        self.holdings.apply(fact)
        self.orders.apply(fact)
        match fact:
            case BotPaused() | BotFlattened() | BotResumed() | BotStopped() | BotStarted():
                show_command(bot, fact)
            case PositionOpened() | StopMoved() | ExitTriggered() | PositionClosed():
                show_position(bot, fact, at_ms)
            case _:
                show_order(bot, fact, at_ms)
        held = self.holdings.of(name, bot.symbol)
        position = bot.positions.get(bot.symbol)
        if position is not None and held.position_id == position.position_id:
            position.entry, position.base = held.entry, held.base
