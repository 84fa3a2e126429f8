"""What one of several owners may be shown: the house, and what is theirs. Pure."""

from __future__ import annotations

import attrs

from actors.messages.board import Alarmed
from actors.pure.owners import HOUSE
from actors.pure.read_model import ReadModel
from actors.pure.status import Live

GROUPS = "owners/owner:"  # begins the path of every actor in a group


def view(model: ReadModel, live: Live | None, owner: str) -> tuple[ReadModel, Live | None]:
    """Return a fleet without what belongs to others; for the house, all of it."""
    if owner == HOUSE:
        return model, live
    accounts = {name for name, each in model.owners.items() if each == owner}
    owned = model.bot_owners
    bots = {name: bot for name, bot in model.bots.items() if owned.get(name) == owner}
    seen = attrs.evolve(
        model,
        bots=bots,
        halts=model.halts.of_accounts(accounts),
        accounts={name: model.accounts[name] for name in model.accounts.keys() & accounts},
        actors={
            path: actor for path, actor in model.actors.items() if _is_shown(path, owner)
        },
    )
    if live is None:
        return seen, None
    mine = {owner, *accounts, *bots}
    return seen, attrs.evolve(
        live,
        evaluated={name: live.evaluated[name] for name in live.evaluated.keys() & bots},
        positions={name: live.positions[name] for name in live.positions.keys() & bots},
        alarms={key: each for key, each in live.alarms.items() if _is_about(each, mine)},
        actors=[actor for actor in live.actors if _is_shown(actor.path, owner)],
    )


def _is_shown(path: str, owner: str) -> bool:
    return not path.startswith(GROUPS) or f"{path}/".startswith(f"{GROUPS}{owner}/")


def _is_about(alarm: Alarmed, mine: set[str]) -> bool:
    """Tell whether an alarm is of the house, or of an actor of these."""
    role, _, name = alarm.actor.partition(":")
    of_house = role not in {"account", "risk", "orders", "positions", "bot", "owner"}
    return of_house or name in mine
