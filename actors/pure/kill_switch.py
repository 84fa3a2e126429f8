"""Sell at once what bots hold while the ledger takes nothing, by an operator's word. Pure.

To be flat is a fact of the ledger, and `positions` and `orders` follow it. Where the ledger
takes no fact, `orders` is asked straight for the sales and for an end of the open entries:
it may have another way of making them durable (SAFE mode). That the bots stay flat is then
for nobody to remember.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from actors.messages import CancelIntent, ExitIntent, ExitReason, Pair
from actors.pure.client_order_id import IntentIds
from actors.pure.read_model import ReadModel

VALID_S = 5.0  # a sale is never sent later than this


def sales(
    bots: Iterable[str],
    exchanges: Mapping[str, str],
    model: ReadModel,
    ids: IntentIds,
    now_s: float,
) -> list[ExitIntent]:
    """Return a sale of each position of these bots; `exchanges` are those of accounts."""
    mine = set(bots)
    found: list[ExitIntent] = []
    for bot, symbol in sorted(model.holdings.open):
        holding, account = model.holdings.of(bot, symbol), model.bot(bot).account
        if bot not in mine or account not in exchanges:
            continue
        seen = model.prices.get(Pair(exchanges[account], symbol))
        found.append(
            ExitIntent(
                ids.next(),
                bot,
                account,
                exchanges[account],
                symbol,
                holding.position_id,
                holding.base,
                ExitReason.OPERATOR,
                seen.price if seen is not None else holding.entry,
                "sold by an operator while the ledger took nothing",
                now_s + VALID_S,
            )
        )
    return found


def cancels(
    bots: Iterable[str], accounts: Container[str], model: ReadModel
) -> list[CancelIntent]:
    """Return a cancel of each open entry of these bots on these accounts."""
    mine = set(bots)
    return [
        CancelIntent(
            order.intended.account,
            order.bot,
            order.symbol,
            order.client_order_id,
            "an operator ordered the bot flat",
        )
        for order in model.orders.live()
        if order.is_entry and order.bot in mine and order.intended.account in accounts
    ]
