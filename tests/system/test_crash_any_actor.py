"""Any actor of the real program may be crashed: it lives again, its neighbours go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from actors.messages import Filled
from tests.system.fleet_desk import Desk, only, running_fleet, write_sim_fleet

ACTORS = [
    "journal",
    "simulator",
    "clock",
    "catalogue:binance",
    "feed:binance",
    "fallback:binance",
    "account:main",
    "risk:main",
    "orders:main",
    "positions:main",
    "bots/bot:churn-0",
    "bots/bot:churn-1",
    "bots/bot:churn-2",
    "bots",
    "board",
]
IDLE = {"simulator", "clock", "catalogue:binance", "fallback:binance", "bots"}

Actors = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    file = write_sim_fleet(tmp_path_factory.mktemp("crash"))
    with running_fleet(file) as desk:
        desk.wait_for(Filled, 3)
        yield desk


def test_the_list_of_actors_is_the_list_of_the_fleet(desk: Desk) -> None:
    assert sorted(desk.actors()) == sorted(ACTORS)


@pytest.mark.parametrize("path", ACTORS)
def test_a_crashed_actor_lives_again_and_its_neighbours_go_on(
    desk: Desk, path: str
) -> None:
    before, fills = desk.actors(), len(only(Filled, desk.facts()))
    mine = {each for each in before if each.startswith(path)}  # its children with it
    assert desk.ask("crash", path) == {"said": f"{path} was crashed on purpose"}
    busy = before.keys() - mine - IDLE

    def all_goes_on() -> bool:
        now = desk.actors()
        return (
            is_again(now, before, mine)
            and all(now[each]["taken"] > before[each]["taken"] for each in busy)
            and len(only(Filled, desk.facts())) > fills
        )

    desk.wait_until(all_goes_on)
    after = desk.actors()
    lives = {each: after[each]["incarnation"] for each in before.keys() - mine}
    assert lives == {each: before[each]["incarnation"] for each in lives}


def is_again(now: Actors, before: Actors, mine: set[str]) -> bool:
    """Tell whether exactly one more life runs in each of these places."""
    return all(
        each in now
        and now[each]["state"] == "RUNNING"
        and now[each]["incarnation"] == before[each]["incarnation"] + 1
        for each in mine
    )
