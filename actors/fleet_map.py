"""Print the wiring of a fleet: `shoal map`, and so docs/wiring.md."""

from __future__ import annotations

from actors.fleet_stage import exchanges_used
from actors.fleet_wiring import as_markdown
from actors.pure.config import Config, Mode
from actors.pure.owners import (
    HOUSE,
    bots_name,
    bots_of,
    journal_of,
    owners_by_account,
    owners_of,
)


def wiring_map(config: Config) -> str:
    """Return docs/wiring.md for the fleet of `config`."""
    return as_markdown(["root", *_tree(config)])


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


def _tree(config: Config) -> list[str]:
    return [
        f"{'│   ' * path.count('/')}├── {path.rpartition('/')[2]}" for path in paths(config)
    ]
