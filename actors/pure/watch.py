"""Fold an account's facts into a guard for each open position. Pure.

Positions of several bots on one symbol are separate: each is made of the fills of its own
bot's orders (R-09). What a bot that is no longer configured holds keeps the levels that
were recorded; what it bought after that, or before anything was, has its decision's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    Balanced,
    BotFlattened,
    BotResumed,
    Corrected,
    Ended,
    ExitReason,
    ExitTriggered,
    Fact,
    Filled,
    Instrument,
    Intended,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    PositionSeen,
    Protection,
    Purpose,
    Refused,
    Side,
    StopMoved,
)
from actors.pure.books import Books
from actors.pure.guard import Guard, Ward
from actors.pure.money import split_symbol
from actors.pure.protective_stop import LIMIT_PERCENT

Owner = tuple[str, str]  # bot, symbol
Recorded = PositionOpened | StopMoved | ExitTriggered | Intended
Kept = Recorded | Filled | Corrected  # until a symbol is listed


@attrs.define(eq=False)
class Watch:
    """All positions of one account that are open now."""

    account: str
    wards: Mapping[str, Ward]  # by bot
    instruments: Mapping[str, Instrument]
    books: Books = attrs.Factory(Books)
    guards: dict[Owner, Guard] = attrs.Factory(dict[Owner, Guard])
    flat: set[str] = attrs.Factory(set[str])  # bots that an operator ordered so
    # What the venue holds of an asset, where nothing was executed since it said so.
    balances: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])
    _by_symbol: dict[str, dict[str, Guard]] = attrs.Factory(dict[str, dict[str, Guard]])
    # Positions in symbols that the exchange has not listed to us yet, and what was
    # recorded, bought and sold of them.
    unlisted: dict[Owner, list[Kept]] = attrs.Factory(dict[Owner, list[Kept]])

    def on(self, symbol: str) -> tuple[Guard, ...]:
        """Return the guards of the positions in one symbol."""
        return tuple(self._by_symbol.get(symbol, {}).values())

    def symbols(self) -> frozenset[str]:
        """Return the symbols that somebody holds."""
        return frozenset(self._by_symbol)

    def apply(self, fact: Fact) -> Guard | None:
        """Take one fact; return the guard that should look again, or None."""
        match fact:
            case Filled():
                return self._filled(fact)
            case Balanced() | PositionClosed():
                return self._settled(fact)
            case PositionOpened() | StopMoved() | ExitTriggered():
                return self._recorded(fact)
            case Intended() | Attempted() | Refused():
                return self._answered(fact)
            case Acknowledged() | Ended() | OutcomeUnknown():
                return self._heard(fact)
            case _:
                return self._ordered(fact)

    def _ordered(self, fact: Fact) -> Guard | None:
        """Take an operator's word: a bot that is to be flat is sold out, also later on."""
        self.books.apply(fact)
        match fact:
            case BotFlattened(bot=bot):
                self.flat.add(bot)
                mine = [guard for guard in self.guards.values() if guard.ward.bot == bot]
                for guard in mine:
                    guard.trigger(ExitReason.OPERATOR)
                return mine[0] if mine else None
            case BotResumed(bot=bot):
                self.flat.discard(bot)
                return None
            case Corrected():
                return self._reduced(fact)
            case _:
                return None

    def _settled(self, fact: Balanced | PositionClosed) -> None:
        if isinstance(fact, Balanced):
            self.balances[fact.asset] = fact.free + fact.locked
        elif self.books.apply(fact):
            ended = self._end(fact.bot, fact.symbol)
            if self.books.of(fact.bot, fact.symbol).is_open:  # it was bought meanwhile
                self._guard_bought(fact.bot, fact.symbol, ended and ended.decided)

    def _answered(self, fact: Intended | Attempted | Refused) -> Guard | None:
        """Take the answer to a wish: a refusal, or an order once it is attempted."""
        self.books.apply(fact)
        guard = self.guards.get((fact.bot, fact.symbol))
        match fact:
            case Refused() if guard is not None:
                guard.refused(fact)
            case Attempted() if guard is not None:
                guard.answered(fact.intent_id)
            case Intended() if is_exit_of_ours(fact):
                self._recorded(fact)
            case _:
                pass
        return guard

    def _heard(self, fact: Acknowledged | Ended | OutcomeUnknown) -> Guard | None:
        """Take what became of an order; of a stop, whether it rests at the exchange."""
        self.books.apply(fact)
        guard = self.guards.get((fact.bot, fact.symbol))
        order = self.books.orders.get(fact.client_order_id)
        if guard is None or order is None or order.is_entry:
            return guard
        if isinstance(fact, Ended) and order.is_protective:
            exits = self.books.orders.live_exits(fact.bot, fact.symbol)
            guard.stop.ended(order, exits)
        if isinstance(fact, Acknowledged) and order.is_protective:
            guard.stop.rests()
        elif isinstance(fact, Ended) and fact.status is OrderStatus.REJECTED:
            guard.rejected(order, fact.reason or fact.code)
        elif isinstance(fact, Ended) and fact.status is OrderStatus.NOT_PLACED:
            guard.unplaced()
        return guard

    def reconciled(self) -> tuple[Guard, ...]:
        """Let every guard ask again at once for what had to wait for the first pass."""
        for guard in self.guards.values():
            guard.reconciled()
        return tuple(self.guards.values())

    def _filled(self, fact: Filled) -> Guard | None:
        if not self.books.apply(fact):
            return None
        owner = (fact.bot, fact.symbol)
        self.balances.pop(split_symbol(fact.symbol)[0], None)
        if fact.side is Side.SELL:
            return self._reduced(fact)
        guard = self._guard_bought(*owner, self._decided(fact))
        if guard is None:
            self.unlisted[owner].append(fact)
        return guard

    def _decided(self, fact: Filled) -> Protection | None:
        """Return how what was bought is guarded, as its entry was decided."""
        order = self.books.orders.get(fact.client_order_id)
        return None if order is None else order.intended.protection

    def _reduced(self, fact: Filled | Corrected) -> Guard | None:
        """Take what was sold, or taken back; later, where the symbol is not listed yet."""
        owner = (fact.bot, fact.symbol)
        guard = self.guards.get(owner)
        if owner in self.unlisted:
            self.unlisted[owner].append(fact)
        elif guard is None:
            return None
        elif isinstance(fact, Filled):
            guard.sold(self.books.orders.get(fact.client_order_id))
        else:
            guard.written_off()
        return guard

    def _guard_bought(
        self, bot: str, symbol: str, decided: Protection | None
    ) -> Guard | None:
        """Guard what was bought; None while nobody knows the symbol's rules."""
        guard = self.guards.get((bot, symbol)) or self._begin(bot, symbol)
        if guard is not None:
            guard.bought(decided)
        return guard

    def begin_listed(self) -> bool:
        """Guard the positions whose symbols are listed by now; tell whether there are.

        Filters change while a position is held: the others go by the newest listing.
        """
        for guard in self.guards.values():
            newest = self.instruments.get(guard.ward.symbol)
            if newest is not None and newest is not guard.instrument:
                guard.relisted(newest)
        listed = [owner for owner in self.unlisted if owner[1] in self.instruments]
        for bot, symbol in listed:
            recorded = self.unlisted.pop((bot, symbol))
            guard = self._begin(bot, symbol)
            if guard is not None:
                guard.bought()
            for fact in recorded:
                if isinstance(fact, Filled) and fact.side is Side.BUY:
                    self._guard_bought(bot, symbol, self._decided(fact))
                elif isinstance(fact, (Filled, Corrected)):
                    self._reduced(fact)
                else:
                    self._recorded(fact)
        return bool(listed)

    def unguarded(self) -> list[Owner]:
        """Return whose positions nobody guards: their symbols are not listed."""
        return [owner for owner in self.unlisted if self.books.of(*owner).base > 0]

    def _begin(self, bot: str, symbol: str) -> Guard | None:
        instrument = self.instruments.get(symbol)
        if instrument is None:
            self.unlisted.setdefault((bot, symbol), [])
            return None
        ward = self.wards.get(bot)
        if ward is None or ward.symbol != symbol:
            ward = Ward(bot, self.account, instrument.exchange, symbol, has_left=True)
            ward = attrs.evolve(ward, limit_percent=LIMIT_PERCENT)
        guard = Guard(ward, self.books, instrument, self.balances)
        self.guards[bot, symbol] = guard
        if bot in self.flat:
            guard.trigger(ExitReason.OPERATOR)
        self._by_symbol.setdefault(symbol, {})[bot] = guard
        return guard

    def _end(self, bot: str, symbol: str) -> Guard | None:
        self.unlisted.pop((bot, symbol), None)
        guard = self.guards.pop((bot, symbol), None)
        if guard is None:
            return None
        mine = self._by_symbol[symbol]
        del mine[bot]
        if not mine:
            del self._by_symbol[symbol]
        return guard

    def _recorded(self, fact: Recorded) -> Guard | None:
        owner = (fact.bot, fact.symbol)
        if owner in self.unlisted:
            self.unlisted[owner].append(fact)
        guard = self.guards.get(owner)
        if guard is None or guard.position_id != fact.position_id:
            return None
        match fact:
            case PositionOpened():
                guard.opened(fact)
            case StopMoved():
                guard.stop_moved(fact)
            case ExitTriggered():
                guard.trigger(fact.reason)
            case Intended():
                # Whoever began it: an exit that ends in part is asked for again.
                guard.trigger(fact.exit_reason or ExitReason.SIGNAL)
        return guard


def is_exit_of_ours(fact: Intended) -> bool:
    """Tell whether it ends the position: no stop, adopted order or leg of a group does."""
    is_at_rest = fact.is_protective or fact.is_adopted
    is_part = is_at_rest or fact.exit_reason is ExitReason.LEG
    return fact.purpose is Purpose.EXIT and not is_part


def seen_of(guard: Guard, price: Decimal | None) -> PositionSeen:
    """Return the position as people are shown it."""
    ward, levels, holding = guard.ward, guard.levels, guard.holding
    exits = guard.books.orders.live_exits(ward.bot, ward.symbol)
    selling = [each for each in exits if not each.is_at_rest]
    return PositionSeen(
        ward.bot,
        ward.account,
        ward.symbol,
        holding.position_id,
        holding.entry,
        holding.base,
        levels.stop_loss,
        levels.take_profit,
        levels.trailing_stop,
        price,
        holding.unrealized(price) if price is not None else None,
        guard.triggered is not None or bool(selling),
    )
