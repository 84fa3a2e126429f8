"""Which code this is, and the seeds that are run with it and with no other."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("actors", "adapters", "tests/simulation")
SEED_MIN, SEED_MAX = 1_000, 1_000_000


def source_id() -> str:
    """Return a hash over the code that a simulation runs."""
    digest = blake2b(digest_size=20)
    for path in sorted(each for place in PLACES for each in (ROOT / place).rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def commit_id() -> str:
    """Return the commit that is checked out, or the hash of the code where none is."""
    asked = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 -- whichever git there is
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() or source_id()


def seeds_of_commit(count: int) -> Iterator[int]:
    """Return seeds that change with each commit, each once."""
    found: dict[int, None] = {}
    base, number = commit_id(), 0
    while len(found) < count:
        hashed = blake2b(f"{base}/{number}".encode(), digest_size=8).digest()
        found[SEED_MIN + int.from_bytes(hashed) % (SEED_MAX - SEED_MIN)] = None
        number += 1
    return iter(found)
