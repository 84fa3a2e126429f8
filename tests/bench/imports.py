"""What each import costs in a fresh process: seconds and resident bytes, in order.

    python -m tests.bench.imports

A package that is imported by an earlier one counts there.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

from tests.memory import resident

ORDER = (
    "attrs",
    "trio",
    "trio_websocket",
    "msgspec",
    "h11",
    "httpx2",
    "sqlite3",
    "structlog",
    "actors.fleet_run",
    "sqlite_utils",
)


def main() -> None:
    costs: dict[str, tuple[float, int]] = {}
    for name in ORDER:
        begun_s, before = time.perf_counter(), resident()
        importlib.import_module(name)
        costs[name] = (time.perf_counter() - begun_s, resident() - before)
    sys.stdout.write(json.dumps(costs))


if __name__ == "__main__":
    main()
