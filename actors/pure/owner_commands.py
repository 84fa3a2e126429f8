"""Turn a command about all that one owner has into one for each account or bot. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from actors.messages import Asked
from actors.messages.supervision import State
from actors.pure.commands import NotPossible, Plan, Subject
from actors.pure.nearest import did_you_mean
from actors.pure.owners import owner_asked

OF_ACCOUNTS = frozenset({"halt", "resume", "flatten"})
OF_BOTS = frozenset({"pause", "start", "stop"})


def spread(
    asked: Asked, bots: Mapping[str, str], owners: Mapping[str, str]
) -> tuple[Asked, ...]:
    """Return what is asked, of each account or bot; `bots` and `owners` go by account.

    Raises:
      NotPossible: there is no such owner, or it is no command for all that somebody has.
    """
    owner = owner_asked(asked.subject)
    accounts = [account for account, whose in owners.items() if whose == owner]
    if not accounts:
        near = did_you_mean(owner, set(owners.values()))
        raise NotPossible(f"no owner {owner!r} has a group in this fleet{near}")
    if asked.verb in OF_ACCOUNTS:
        subjects = [f"account:{account}" for account in accounts]
    elif asked.verb in OF_BOTS:
        subjects = [f"bot:{bot}" for bot, account in bots.items() if account in accounts]
    else:
        raise NotPossible(f"{asked.verb} is about one order or symbol, not about an owner")
    return tuple(
        attrs.evolve(asked, subject=each, key=f"{asked.key}/{each}" if asked.key else "")
        for each in subjects
    )


def revived(asked: Asked, state: State) -> Plan | None:
    """Return the plan that starts an owner's group again, or None while it lives."""
    if asked.verb != "start" or state not in {State.FAILED, State.STOPPED}:
        return None
    owner = owner_asked(asked.subject)
    said = f"the group of {owner} starts, its failures forgotten"
    return Plan(Subject("", ""), (), said, "start")
