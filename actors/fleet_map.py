"""Print the wiring of a fleet: `shoal map`, and so docs/wiring.md."""

from __future__ import annotations

from actors.fleet_stage import accounts_used, exchanges_used
from actors.fleet_wiring import as_markdown
from actors.pure.config import Config, Mode


def wiring_map(config: Config) -> str:
    """Return docs/wiring.md for the fleet of `config`."""
    return as_markdown(["root", *_tree(config)])


def paths(config: Config) -> list[str]:
    """Return the path of every actor, in the order of starting."""
    exchanges, accounts = exchanges_used(config), accounts_used(config)
    return [
        "journal",
        *(["simulator"] if config.mode is Mode.SIM else []),
        "clock",
        *(f"catalogue:{exchange}" for exchange in exchanges),
        *(f"feed:{exchange}" for exchange in exchanges),
        *(f"fallback:{exchange}" for exchange in exchanges),
        *(
            f"{role}:{account}"
            for account in accounts
            for role in ("account", "risk", "orders", "positions")
        ),
        "bots",
        *(f"bots/bot:{bot.name}" for bot in config.bots),
        "board",
    ]


def _tree(config: Config) -> list[str]:
    return [
        f"├── {path}" if "/" not in path else f"│   ├── {path.rpartition('/')[2]}"
        for path in paths(config)
    ]
