"""Find what is held on accounts that no bot trades on any more: nothing guards it. Pure.

An account without a bot has no actors. What its bots had bought, and what may still buy for
them, is in the ledger, and nobody else there would ever speak of it.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from actors.messages import Corrected, Fact, Filled, PositionClosed
from actors.messages.board import Alarmed
from actors.pure.money import plain
from actors.pure.order_sheet import ORDER_FACTS, Orders
from actors.pure.position_math import Holdings


@attrs.define
class Abandoned:
    """The holdings and the open entries of accounts that are not traded on."""

    accounts: Collection[str]  # that some bot trades on
    held: dict[str, Holdings] = attrs.Factory(dict[str, Holdings])  # by account
    orders: dict[str, Orders] = attrs.Factory(dict[str, Orders])  # by account

    def apply(self, fact: Fact) -> None:
        """Take one fact; only those of an abandoned account are kept."""
        account: str | None = getattr(fact, "account", None)
        if account is None or account in self.accounts:
            return
        if isinstance(fact, (Filled, PositionClosed, Corrected)):
            self.held.setdefault(account, Holdings()).apply(fact)
        if type(fact) in ORDER_FACTS:
            self.orders.setdefault(account, Orders()).apply(fact)

    def alarms(self, actor: str) -> list[Alarmed]:
        """Return those of each account on which something is left, said by `actor`."""
        return self._holding(actor) + self._buying(actor)

    def _buying(self, actor: str) -> list[Alarmed]:
        alarms: list[Alarmed] = []
        for account, orders in sorted(self.orders.items()):
            entries = ", ".join(
                f"{order.client_order_id} of {order.bot}, {order.symbol}"
                for order in orders.live()
                if order.is_entry
            )
            if entries:
                text = f"{account} has open entries by the ledger: {entries}; no bot trades"
                text += " on it, nothing guards what they buy: cancel them at the exchange"
                alarms.append(Alarmed(actor, "abandoned_entries", account, text))
        return alarms

    def _holding(self, actor: str) -> list[Alarmed]:
        alarms: list[Alarmed] = []
        for account, holdings in sorted(self.held.items()):
            held = ", ".join(
                f"{plain(base)} {symbol} of {bot}"
                for bot, symbol in sorted(holdings.open)
                if (base := holdings.of(bot, symbol).base)
            )
            if held:
                text = f"{account} holds {held}, and no bot trades on it: nothing guards"
                text += f" that until one trades on {account} again"
                alarms.append(Alarmed(actor, "abandoned", account, text))
        return alarms
