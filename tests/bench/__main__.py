"""Measure speed and memory: `just bench`, or parts of it: `just bench fan-out orders`.

Each figure stands beside a bare probe of the same work where there is one, interleaved in
the same run, because machines drift: trust ratios, and figures of one run only. The
exchange is the simulator, in a process of its own, over loopback. Ledgers are written into
the temporary folder (TMPDIR). docs/performance.md says what was found.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping

from tests.bench import busy, codec, fan_out, footprint, journal_latency, latency, recall
from tests.bench.processes import Pace
from tests.bench.table import Figure, as_text

PARTS: Mapping[str, Callable[[Pace], list[Figure]]] = {
    "feed": latency.feed,
    "orders": latency.orders,
    "orders-rest": latency.orders_rest,
    "fan-out": fan_out.fan_out,
    "busy": busy.busy,
    "venues": busy.venues,
    "peers": busy.peers,
    "memory": footprint.memory,
    "cpu": footprint.cpu,
    "start": footprint.start,
    "codec": codec.figures,
    "journal": journal_latency.figures,
    "recall": recall.figures,
}


def main() -> None:
    """Run the parts and print the table."""
    parser = argparse.ArgumentParser(prog="just bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--smoke",
        action="store_true",
        help="see that each part starts; figures mean nothing",
    )
    arguments = parser.parse_args()
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    begun_s = time.monotonic()
    figures: list[Figure] = []
    for part in arguments.parts or PARTS:
        sys.stderr.write(f"{part} …\n")
        figures += PARTS[part](Pace(arguments.smoke))
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    sys.stdout.write(
        f"{as_text(figures)}\n\nmedian / p99 · ratio: ours to probe, medians · loopback ·"
        f" Python {platform.python_version()}, {os.cpu_count()} cores, load {load} ·"
        f" {time.monotonic() - begun_s:.0f} s\n"
    )


if __name__ == "__main__":
    main()
