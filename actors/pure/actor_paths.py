"""The tree of a fleet by name: the path of every actor that its config asks for. Pure."""

from __future__ import annotations

from actors.pure.config_types import BotConfig, Config, Mode
from actors.pure.owners import (
    HOUSE,
    bots_name,
    bots_of,
    journal_of,
    owners_by_account,
    owners_of,
)


def paths(config: Config) -> list[str]:
    """Return the path of every actor, in the order of starting."""
    exchanges = exchanges_used(config)
    return [
        "journal",
        *(["simulator"] if config.mode is Mode.SIM else []),
        "clock",
        *(f"catalogue:{exchange}" for exchange in exchanges),
        *(f"feed:{exchange}" for exchange in exchanges),
        *(f"fallback:{exchange}" for exchange in exchanges),
        *_group_paths(config),
        "board",
    ]


def _group_paths(config: Config) -> list[str]:
    """Return the actors of the only owner, or of each owner below their group."""
    owners = owners_of(config)
    found = ["owners"] if owners else []
    for owner in owners or (HOUSE,):
        above = f"owners/owner:{owner}/" if owners else ""
        found += [above.rstrip("/"), f"{above}{journal_of(owner)}"] if owners else []
        found += [
            f"{above}{role}:{account}"
            for account, whose in owners_by_account(config).items()
            for role in ("account", "risk", "orders", "positions")
            if whose == owner
        ]
        bots = f"{above}{bots_name(owner)}"
        found += [
            bots,
            *(
                f"{bots}/bot:{bot.name}"
                for bot in bots_of(config, owner)
                if bot.type != "leg"
            ),
        ]
    return found


def exchanges_read(config: Config, bot: BotConfig) -> list[str]:
    """Return the exchanges whose markets a bot sees: its own, and those it only reads."""
    bots = (bot, config.bot(bot.other)) if bot.other else (bot,)
    own = {config.accounts[each.account].exchange for each in bots}
    return sorted({*own, *(pair.exchange for pair in bot.reads)})


def exchanges_used(config: Config) -> list[str]:
    """Return the exchanges that some bot trades on or reads, by name."""
    return sorted({each for bot in config.bots for each in exchanges_read(config, bot)})
