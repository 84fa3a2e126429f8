"""Find the account that a command about it, an order or a symbol is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from actors.messages import Asked
from actors.pure.commands import NotPossible
from actors.pure.nearest import did_you_mean
from actors.pure.orders_shown import order_named
from actors.pure.read_model import ReadModel

ACCOUNT_VERBS = frozenset({"settle", "adopt", "correct", "reconcile"})


def addressed(asked: Asked, bots: Mapping[str, str], model: ReadModel) -> tuple[Asked, str]:
    """Return what is asked, with whole names, and the account to ask; `bots` say theirs.

    Raises:
      NotPossible: there is no such account, order or bot, or it is not clear whose.
    """
    if asked.verb == "reconcile":
        return asked, _account_named(asked.subject.removeprefix("account:"), bots)
    if asked.bot and asked.bot not in bots:
        raise NotPossible(f"no bot is called {asked.bot!r}{did_you_mean(asked.bot, bots)}")
    if asked.verb == "adopt" and asked.bot and model.bot(asked.bot).is_flat:
        raise NotPossible(f"{asked.bot} was ordered flat: `shoal resume {asked.bot}` first")
    if asked.verb == "settle":
        order = order_named(model, asked.subject)
        return attrs.evolve(asked, subject=order.client_order_id), order.intended.account
    if asked.bot:
        return asked, bots[asked.bot]
    if asked.verb == "adopt":
        raise NotPossible("say whose it shall be: --bot NAME")
    return asked, _holder(asked.subject, model)


def _account_named(name: str, bots: Mapping[str, str]) -> str:
    accounts = set(bots.values())
    if name not in accounts:
        near = did_you_mean(name, accounts)
        raise NotPossible(f"no account is called {name!r}{near}")
    return name


def _holder(symbol: str, model: ReadModel) -> str:
    """Return the only account that holds a symbol."""
    held = sorted(model.holdings.base_by_symbol())
    accounts = sorted({model.bot(bot).account for bot in model.holdings.bots_of(symbol)})
    if not accounts:
        raise NotPossible(f"nobody holds {symbol!r}{did_you_mean(symbol, held)}")
    if len(accounts) > 1:
        raise NotPossible(f"{symbol} is held on {', '.join(accounts)}: say --bot NAME")
    return accounts[0]
