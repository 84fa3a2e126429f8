"""A ledger followed from outside, row by row, and held against the exchange's truth."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from actors.messages import (
    Attempted,
    Ended,
    Fact,
    Filled,
    Intended,
    OrderStatus,
    OutcomeUnknown,
    Side,
)
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledger

ZERO = Decimal(0)
DUST_QUOTE = Decimal(6)  # less than the exchange lets one stop sell
Truth = Mapping[str, Any]


@attrs.define
class Seen:
    """One order, as the ledger has it so far."""

    bot: str
    ended: OrderStatus | None = None
    trades: set[str] = attrs.Factory(set[str])


@attrs.define(eq=False)
class LedgerView:
    """Everything that the newest ledger of a state folder says of orders."""

    state: Path
    seq: int = 0
    orders: dict[str, Seen] = attrs.Factory(dict[str, Seen])
    held: dict[tuple[str, str], Decimal] = attrs.Factory(dict[tuple[str, str], Decimal])
    prices: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])
    unheard: int = 0  # attempts whose sender died before it heard the answer
    _bots: dict[str, str] = attrs.Factory(dict[str, str])  # by intent

    def follow(self) -> None:
        """Read what is new."""
        path = newest_ledger(self.state)
        if path is None:
            return
        with Ledger(path) as ledger:
            for row in ledger.rows(after=self.seq):
                self.seq = row.seq
                self._apply(row.fact)

    def differences(self, truth: Truth) -> list[str]:
        """Return where ledger and exchange differ, and which position lacks its stop.

        `truth` is older than what is read here: it has nothing that the ledger may lack.
        """
        self.follow()
        there = truth["orders"]["key1"]
        said = [f"{each} was placed twice" for each in truth["placed_twice"]]
        said += [f"{each} was asked for twice" for each in truth["asked_twice"]]
        said += [f"{each} is disowned" for each in there.keys() - self.orders.keys()]
        for order_id, order in self.orders.items():
            said += _order_differences(order_id, order, there.get(order_id))
        for (bot, symbol), base in self.held.items():
            said += self._position_differences(bot, symbol, base, there)
        return said

    def _position_differences(
        self, bot: str, symbol: str, base: Decimal, there: Mapping[str, Any]
    ) -> list[str]:
        """I-14: what a bot holds has a stop at the exchange, and no more than that."""
        stops = [
            Decimal(order["base"]) - Decimal(order["filled_base"])
            for order_id, order in there.items()
            if order["is_open"]
            and (order["side"], order["type"]) == ("sell", "STOP_LOSS_LIMIT")
            and (order["symbol"], self.orders[order_id].bot) == (symbol, bot)
        ]
        covered = sum(stops, ZERO)
        if covered > base:
            return [f"{bot}: stops sell {covered} {symbol}, it holds {base}"]
        bare = (base - covered) * self.prices[symbol]
        return [f"{bot}: {base - covered} {symbol} without a stop"] * (bare > DUST_QUOTE)

    def _apply(self, fact: Fact) -> None:
        match fact:
            case Intended(intent_id=intent_id, bot=bot):
                self._bots[intent_id] = bot
            case Attempted(client_order_id=order_id, intent_id=intent_id):
                self.orders[order_id] = Seen(self._bots[intent_id])
            case OutcomeUnknown(reason=reason):
                self.unheard += "the sender ended first" in reason
            case Ended(client_order_id=order_id, status=status):
                self.orders[order_id].ended = status
            case Filled(client_order_id=order_id, trade_id=trade_id):
                if trade_id not in self.orders[order_id].trades:
                    self.orders[order_id].trades.add(trade_id)
                    self._fill(fact)
            case _:
                pass

    def _fill(self, fact: Filled) -> None:
        change = fact.base if fact.side is Side.BUY else -fact.base
        if fact.fee_asset == fact.symbol.partition("/")[0]:
            change -= fact.fee
        owner = fact.bot, fact.symbol
        self.held[owner] = self.held.get(owner, ZERO) + change
        self.prices[fact.symbol] = fact.price


def _order_differences(
    order_id: str, seen: Seen, order: Mapping[str, Any] | None
) -> list[str]:
    if order is None:
        is_known = seen.ended in {OrderStatus.NOT_PLACED, OrderStatus.REJECTED}
        return [] if is_known else [f"{order_id}: {seen.ended} here, unknown there"]
    said: list[str] = []
    trades = {str(fill["trade_id"]) for fill in order["fills"]}
    if trades != seen.trades:
        said.append(f"{order_id}: trades {seen.trades} here, {trades} there")
    if order["is_open"]:
        if seen.ended is not None:
            said.append(f"{order_id}: {seen.ended} here, open there")
    elif seen.ended is None or seen.ended.value != order["status"].lower():
        said.append(f"{order_id}: {seen.ended} here, {order['status']} there")
    return said
