"""The ledger read once more, by other code than the engine's: what it says of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    Filled,
    Intended,
    OrderStatus,
    OutcomeUnknown,
    Purpose,
    Reconciled,
    Side,
)
from actors.pure.facts import decode
from tests.simulation.disk import DiskRow

ZERO = Decimal(0)


@attrs.define
class Told:
    """What the ledger says of one order, so far."""

    intent: Intended
    attempted: Attempted
    attempt_ms: int  # by the clock of the venue, less what it was ahead for a while
    is_acknowledged: bool = False
    was_unknown: bool = False
    ended: Ended | None = None
    ended_ms: int = 0  # of the venue's clock
    fills: dict[str, Filled] = attrs.Factory(dict[str, Filled])

    @property
    def filled_base(self) -> Decimal:
        return sum((fill.base for fill in self.fills.values()), ZERO)

    @property
    def status(self) -> OrderStatus | None:
        """How it ended: as was told, or by fills that leave nothing; else None."""
        if self.ended is not None:
            return self.ended.status
        return OrderStatus.FILLED if self.filled_base >= self.intent.base else None

    @property
    def is_live(self) -> bool:
        return self.status is None


@attrs.define
class BookKeeping:
    """A fold over the ledger that notes what must never be true."""

    sent: Mapping[str, float]  # the orders that left the process, and when
    late: frozenset[str] = frozenset()  # recorded after they left: SAFE mode (D-2)
    said: list[str] = attrs.Factory(list[str])
    orders: dict[str, Told] = attrs.Factory(dict[str, Told])
    intents: dict[str, Intended] = attrs.Factory(dict[str, Intended])
    held: dict[tuple[str, str], Decimal] = attrs.Factory(dict[tuple[str, str], Decimal])
    trades: set[tuple[str, str, Side]] = attrs.Factory(set[tuple[str, str, Side]])
    reconciled: Reconciled | None = None
    rows: int = 0  # read so far
    _attempts: dict[str, list[Told]] = attrs.Factory(dict[str, list[Told]])
    _exits: dict[tuple[str, str], list[Told]] = attrs.Factory(
        dict[tuple[str, str], list[Told]]
    )  # live ones

    def read(self, rows: Sequence[DiskRow]) -> None:
        """Take rows in their order."""
        self.rows += len(rows)
        for each in rows:
            if each.row.kind in _KINDS:
                fact = decode(each.row.kind, each.row.body)
                self.take(fact, each.venue_ms, each.skew_ms)

    def take(self, fact: object, venue_ms: int, skew_ms: int = 0) -> None:
        """Take one fact, written when the venue's clock said so."""
        match fact:
            case Intended():
                self.intents[fact.intent_id] = fact
            case Attempted():
                self._attempted(fact, venue_ms - max(0, skew_ms))
            case Reconciled():
                self.reconciled = fact
            case Acknowledged() | OutcomeUnknown() | Filled() | Ended():
                self._lived(fact, venue_ms)
            case _:
                pass

    def _lived(
        self, fact: Acknowledged | OutcomeUnknown | Filled | Ended, venue_ms: int
    ) -> None:
        order = self.orders.get(fact.client_order_id)
        if order is None:
            name = type(fact).__name__
            self.said.append(f"I-3: {name} of {fact.client_order_id}, never attempted")
            return
        match fact:
            case Acknowledged():
                order.is_acknowledged = True
            case OutcomeUnknown():
                order.was_unknown = True
            case Filled():
                self._filled(order, fact)
            case Ended():
                self._ended(order, fact, venue_ms)

    def _attempted(self, fact: Attempted, venue_ms: int) -> None:
        intent = self.intents.get(fact.intent_id)
        if intent is None:
            self.said.append(f"I-2: {fact.client_order_id} of an untold intent")
            return
        attempts = self._attempts.setdefault(fact.intent_id, [])
        if any(other.is_live or other.fills for other in attempts):
            self.said.append(f"I-1: a second attempt at {fact.intent_id}")
        self.orders[fact.client_order_id] = order = Told(intent, fact, venue_ms)
        attempts.append(order)
        if intent.purpose is Purpose.EXIT:
            self._exits.setdefault((intent.bot, intent.symbol), []).append(order)
            if fact.client_order_id not in self.late:
                self._check_exits(intent.bot, intent.symbol, fact.client_order_id)

    def _check_exits(self, bot: str, symbol: str, order_id: str) -> None:
        """I-13, I-15: what exits may still sell is never more than is held.

        Of a stop and the order that takes its place the venue has one at a time.
        """
        mine = self._exits[bot, symbol]
        mine[:] = [order for order in mine if order.is_live]
        exits = [o for o in mine if self._may_sell(o)]
        replaced = {order.intent.replaces for order in exits}
        selling = sum(
            (
                order.intent.base - order.filled_base
                for order in exits
                if order.attempted.client_order_id not in replaced
            ),
            ZERO,
        )
        held = self.held.get((bot, symbol), ZERO)
        if selling > held:
            self.said.append(
                f"I-15: with {order_id} exits of {bot} may sell {selling}, it holds {held}"
            )

    def _may_sell(self, order: Told) -> bool:
        """Tell whether an exit was sent, and does not replace what has begun to fill.

        The venue cancels only what nothing of was executed, and else places nothing.
        """
        replaced = self.orders.get(order.intent.replaces)
        is_void = replaced is not None and bool(replaced.fills)
        return order.attempted.client_order_id in self.sent and not is_void

    def _filled(self, order: Told, fact: Filled) -> None:
        trade = fact.symbol, fact.trade_id, fact.side  # two of our orders may meet
        if trade in self.trades:
            self.said.append(f"I-5: trade {fact.trade_id} is in the ledger twice")
        self.trades.add(trade)
        order.fills[fact.trade_id] = fact
        if order.filled_base > order.intent.base:
            self.said.append(f"I-4: {fact.client_order_id} filled {order.filled_base}")
        change = fact.base if fact.side is Side.BUY else -fact.base
        if fact.fee_asset == fact.symbol.partition("/")[0]:
            change -= fact.fee
        owner = fact.bot, fact.symbol
        self.held[owner] = self.held.get(owner, ZERO) + change
        if self.held[owner] < 0:
            self.said.append(f"I-13: {fact.bot} holds {self.held[owner]} {fact.symbol}")
        if order.ended is not None and order.ended.status in _EMPTY:
            self.said.append(
                f"I-10: {fact.client_order_id} filled after {order.ended.status.value}"
            )

    def _ended(self, order: Told, fact: Ended, venue_ms: int) -> None:
        if order.ended is not None:
            self.said.append(f"I-6: {fact.client_order_id} ended twice")
        order.ended, order.ended_ms = fact, venue_ms
        if fact.status in _EMPTY and order.fills:
            self.said.append(f"I-6: {fact.client_order_id} is {fact.status}, yet filled")
        was_sent = fact.client_order_id in self.sent
        age_ms = venue_ms - order.attempt_ms
        is_early = was_sent and age_ms < EXPIRY_MS
        if fact.status is OrderStatus.NOT_PLACED and is_early:
            self.said.append(
                f"I-10: {fact.client_order_id} not placed after so short a time"
            )


EXPIRY_MS = 5000  # the request's own recvWindow
_EMPTY = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_PLACED})
_KINDS = frozenset({
    "intended", "attempted", "acknowledged", "outcome_unknown", "filled", "ended",
    "reconciled",
})  # fmt: skip
