"""A fleet on all exchanges at once: one of them hangs, and the others' bots lose nothing.

`just venues` lets every exchange misbehave in every way, and prints what it cost.
"""

from __future__ import annotations

from pathlib import Path

import trio

from actors.pure.config_endpoints import ENDPOINTS
from tests.system.venues import run

ALL = tuple(ENDPOINTS)


def test_an_exchange_that_hangs_costs_the_bots_of_the_others_nothing(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    tallies = trio.run(run, tmp_path, ALL, ("half_open",), ALL, told.append)
    assert [tally.exchange for tally in tallies] == list(ALL)
    for tally in tallies:
        assert tally.noticed_s is not None
        assert tally.fallback_s is not None
        assert tally.others.keys() == set(ALL) - {tally.exchange}
        assert all(heard.told > 5 for heard in tally.others.values())
    assert len(told) == len(tallies)
