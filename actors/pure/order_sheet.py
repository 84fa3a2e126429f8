"""Keep the orders of an account, or of one bot, as a fold of facts. Pure.

`orders`, `account`, `risk`, `positions`, `bot` and `board` all read orders through this one
fold. Live orders are kept whole; of the ended ones the newest `ended_max`, so that a late
fill still finds its order. Facts about orders that nobody told us of change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    CancelRejected,
    CancelRequested,
    Ended,
    Fact,
    Filled,
    Intended,
    OutcomeUnknown,
)
from actors.pure.order_life import ZERO, LifeFact, Order, begin, step

ENDED_MAX = 1_000

# What whoever follows orders must be told.
ORDER_FACTS: frozenset[type[Fact]] = frozenset(
    {
        Intended,
        Attempted,
        Acknowledged,
        OutcomeUnknown,
        Filled,
        CancelRequested,
        CancelRejected,
        Ended,
    }
)

_NONE: dict[str, Order] = {}  # never written to


@attrs.define
class Orders:
    """Orders by client order id, with the sums that every decision needs at hand."""

    ended_max: int = ENDED_MAX
    reserved_quote: Decimal = ZERO  # of all live entries
    # Bot and symbol of each. A dict: an empty set takes three times its room, in each bot.
    entering: dict[tuple[str, str], None] = attrs.Factory(dict[tuple[str, str], None])
    _live: dict[str, Order] = attrs.Factory(dict[str, Order])
    _ended: dict[str, Order] = attrs.Factory(dict[str, Order])  # oldest first
    _intended: dict[str, Intended] = attrs.Factory(dict[str, Intended])
    _attempts: dict[str, list[str]] = attrs.Factory(dict[str, list[str]])
    _by_owner: dict[tuple[str, str], dict[str, Order]] = attrs.Factory(
        dict[tuple[str, str], dict[str, Order]]
    )
    _lacking: dict[tuple[str, str], dict[str, Order]] = attrs.Factory(
        dict[tuple[str, str], dict[str, Order]]
    )  # ended, some fills not told yet
    _reserved: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # by bot

    def apply(self, fact: object) -> Order | None:
        """Take one fact; return the order it changed, or None when it changed none.

        Raises:
          LookupError: an attempt at an intent that was never told.
        """
        match fact:
            case Intended():
                self._intended.setdefault(fact.intent_id, fact)
                return None
            case Attempted():
                return self._begin(fact)
            case Filled() | Acknowledged() | Ended() | OutcomeUnknown():
                return self._step(fact)
            case CancelRequested() | CancelRejected():
                return self._step(fact)
            case _:
                return None

    def get(self, client_order_id: str) -> Order | None:
        """Return the order, live or among the newest ended."""
        return self._live.get(client_order_id) or self._ended.get(client_order_id)

    def live(self) -> Iterator[Order]:
        """Return every order that may still be executed, oldest first."""
        return iter(tuple(self._live.values()))

    @property
    def is_word_due(self) -> bool:
        """Whether the exchange is about to tell an end, or the fills of one it has told."""
        return bool(self._lacking) or any(order.is_ending for order in self.live())

    def ended(self) -> Iterator[Order]:
        """Return the newest ended orders, oldest first."""
        return iter(tuple(self._ended.values()))

    def live_of(self, bot: str, symbol: str) -> tuple[Order, ...]:
        """Return the live orders of one bot and symbol, oldest first."""
        return tuple(self._by_owner.get((bot, symbol), _NONE).values())

    def live_entry(self, bot: str, symbol: str) -> Order | None:
        """Return the one entry that may be open for a bot and symbol (R-05)."""
        mine = self._by_owner.get((bot, symbol), _NONE)
        return next((order for order in mine.values() if order.is_entry), None)

    def live_exits(self, bot: str, symbol: str) -> tuple[Order, ...]:
        """Return the exits that may still sell; with UNKNOWN ones (I-15)."""
        mine = self._by_owner.get((bot, symbol), _NONE)
        return tuple(order for order in mine.values() if not order.is_entry)

    def resting_stop(self, bot: str, symbol: str) -> Order | None:
        """Return the protective stop of a position, if no other exit is replacing it."""
        resting, replaced = None, set[str]()
        for order in self._by_owner.get((bot, symbol), _NONE).values():  # oldest first
            replaced.add(order.intended.replaces)
            if order.intended.is_protective:
                resting = order
        is_free = resting is not None and resting.client_order_id not in replaced
        return resting if is_free else None

    def exiting_base(
        self, bot: str, symbol: str, *, besides: Order | None = None
    ) -> Decimal:
        """Return how much exits may still sell, or have sold untold (I-13, I-15).

        Of an exit and the stop that makes room for it the venue has one at a time.
        """
        live = self._open_base_of_exits(bot, symbol, besides)
        return live + self.sold_untold(bot, symbol)

    def sold_untold(self, bot: str, symbol: str) -> Decimal:
        """Return what exits that have ended sold, as far as nobody has booked it (R-12)."""
        ended = self._lacking.get((bot, symbol), _NONE).values()
        return sum((it.missing_base for it in ended if not it.is_entry), ZERO)

    def _open_base_of_exits(self, bot: str, symbol: str, besides: Order | None) -> Decimal:
        mine = {
            order.client_order_id: order.open_base
            for order in self.live_exits(bot, symbol)
            if besides is None or order.client_order_id != besides.client_order_id
        }
        for order_id in tuple(mine):
            order = self._live[order_id]
            replaced = mine.pop(order.intended.replaces, ZERO)
            if order_id in mine and order.is_unsure:  # else the old one is gone
                mine[order_id] = max(mine[order_id], replaced)
        return sum(mine.values(), ZERO)

    def lacking(self, bot: str, symbol: str) -> Order | None:
        """Return an ended order of which not every fill was told yet."""
        return next(iter(self._lacking.get((bot, symbol), _NONE).values()), None)

    def unknown(self, bot: str, symbol: str) -> Order | None:
        """Return an order of this bot and symbol whose outcome nobody knows (R-02)."""
        mine = self._by_owner.get((bot, symbol), _NONE)
        return next((order for order in mine.values() if order.is_unknown), None)

    def reserved_by(self, bot: str) -> Decimal:
        """Return the quote that the live entries of one bot may still spend (I-17)."""
        return self._reserved.get(bot, ZERO)

    def intended(self, intent_id: str) -> Intended | None:
        """Return the intent, if it was told and an order of it is remembered."""
        return self._intended.get(intent_id)

    def attempts(self, intent_id: str) -> tuple[Order, ...]:
        """Return the remembered attempts at an intent, in order."""
        ids = self._attempts.get(intent_id, ())
        return tuple(order for each in ids if (order := self.get(each)) is not None)

    def next_attempt(self, intent_id: str) -> int | None:
        """Return the number the next attempt may have, or None when it must not exist.

        Attempt n + 1 exists only after attempt n is proven empty (R-05, I-1).
        """
        attempts = self.attempts(intent_id)
        if all(order.is_proven_empty for order in attempts):
            return max((order.attempt for order in attempts), default=0) + 1
        return None

    def _begin(self, fact: Attempted) -> Order | None:
        if self.get(fact.client_order_id) is not None:
            return None
        intended = self._intended.get(fact.intent_id)
        if intended is None:
            raise LookupError(f"attempt {fact.client_order_id} of an untold intent")
        order = begin(intended, fact)
        self._attempts.setdefault(fact.intent_id, []).append(order.client_order_id)
        self._put(None, order)
        return order

    def _step(self, fact: LifeFact) -> Order | None:
        before = self.get(fact.client_order_id)
        if before is None:
            return None
        after = step(before, fact)
        if after is before:
            return None
        self._put(before, after)
        return after

    def _put(self, before: Order | None, after: Order) -> None:
        self._reserve(before, after)
        key, owner = after.client_order_id, (after.bot, after.symbol)
        if not after.is_terminal:
            self._live[key] = after
            self._by_owner.setdefault(owner, {})[key] = after
            if after.is_entry:
                self.entering[owner] = None
            return
        self._ended[key] = after
        self._note_lack(owner, after)
        if self._live.pop(key, None) is not None:
            self._leave(owner, key)
        if len(self._ended) > self.ended_max:
            self._forget_oldest()

    def _note_lack(self, owner: tuple[str, str], order: Order) -> None:
        if order.missing_base:
            self._lacking.setdefault(owner, {})[order.client_order_id] = order
        elif owner in self._lacking:
            self._lacking[owner].pop(order.client_order_id, None)
            if not self._lacking[owner]:
                del self._lacking[owner]

    def _leave(self, owner: tuple[str, str], key: str) -> None:
        mine = self._by_owner[owner]
        del mine[key]
        if not any(order.is_entry for order in mine.values()):
            self.entering.pop(owner, None)
        if not mine:
            del self._by_owner[owner]

    def _reserve(self, before: Order | None, after: Order) -> None:
        change = after.reserved_quote - (before.reserved_quote if before else ZERO)
        if not change:
            return
        self.reserved_quote += change
        reserved = self._reserved.get(after.bot, ZERO) + change
        if reserved:
            self._reserved[after.bot] = reserved
        else:
            self._reserved.pop(after.bot, None)

    def _forget_oldest(self) -> None:
        """Forget what ended first. One whose fills are still to come must be there then:
        it bars entries, so there are few.
        """
        whole = (it for it in self._ended.values() if not it.missing_base)
        order = next(whole, None)
        if order is None:
            return
        client_order_id = order.client_order_id
        del self._ended[client_order_id]
        intent_id = order.intended.intent_id
        ids = self._attempts[intent_id]
        ids.remove(client_order_id)
        if not ids:
            del self._attempts[intent_id], self._intended[intent_id]
