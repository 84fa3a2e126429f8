"""Print the wiring of a fleet: `shoal map`, and so docs/wiring.md."""

from __future__ import annotations

from actors.fleet_wiring import as_markdown
from actors.pure.actor_paths import paths
from actors.pure.config import Config


def wiring_map(config: Config) -> str:
    """Return docs/wiring.md for the fleet of `config`."""
    return as_markdown(["root", *_tree(config)])


def _tree(config: Config) -> list[str]:
    return [
        f"{'│   ' * path.count('/')}├── {path.rpartition('/')[2]}" for path in paths(config)
    ]
