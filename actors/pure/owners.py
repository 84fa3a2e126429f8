"""Whose is what: the owners of a fleet, their accounts and bots, and who keeps their facts.

A fleet of one owner is all his, and one journal keeps it: its owner is HOUSE here. Several
owners share the house (clock, feeds, the board, the house's own journal) and nothing else:
each has a group of actors, a journal and a ledger of his own. Pure.
"""

from __future__ import annotations

from typing import Final

from actors.pure.config_types import BotConfig, Config

HOUSE: Final = ""
OWNER: Final = "owner:"  # begins what an operator types of all that one owner has


def owners_of(config: Config) -> tuple[str, ...]:
    """Return the owners who have a group each, by name; none where all is one owner's."""
    used = {bot.account for bot in config.bots}
    found = sorted({each.owner for name, each in config.accounts.items() if name in used})
    return tuple(found) if len(found) > 1 else ()


def owners_by_account(config: Config) -> dict[str, str]:
    """Return whose group each account belongs to that some bot trades on."""
    has_groups, used = bool(owners_of(config)), {bot.account for bot in config.bots}
    return {
        name: each.owner if has_groups else HOUSE
        for name, each in config.accounts.items()
        if name in used
    }


def bots_of(config: Config, owner: str) -> list[BotConfig]:
    """Return the bots in an owner's group, as the file lists them."""
    owners = owners_by_account(config)
    return [bot for bot in config.bots if owners[bot.account] == owner]


def journal_of(owner: str) -> str:
    """Return the journal that keeps the facts of an owner, or of the house."""
    return f"journal:{owner}" if owner != HOUSE else "journal"


def bots_name(owner: str) -> str:
    """Return the name of the supervisor of an owner's bots."""
    return f"bots:{owner}" if owner != HOUSE else "bots"


def owner_of(journal: str) -> str:
    """Return whose journal it is."""
    return journal.partition(":")[2] or HOUSE


def owner_asked(subject: str) -> str:
    """Return the owner whom an operator names, or the house: "owner:ann" is ann."""
    return subject.removeprefix(OWNER) if subject.startswith(OWNER) else HOUSE


def ledger_owners(config: Config) -> tuple[str, ...]:
    """Return for whom there is a ledger: for the house first."""
    return (HOUSE, *owners_of(config))
