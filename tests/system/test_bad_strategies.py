"""A strategy of the user's own that misbehaves harms itself alone; nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.messages import (
    ExitReason,
    FleetStarted,
    PositionClosed,
)
from tests.system.fleet_desk import (
    Desk,
    only,
    running_fleet,
    write_sim_fleet,
    write_strategy,
)
from tests.system.processes import (
    CHURN,
    KEY,
    SECRET,
    disagreements,
    running_sim,
    wait_for_agreement,
    write_live_fleet,
)

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
WILD = {
    "raises": ("raise ZeroDivisionError('mine')", "ZeroDivisionError: mine in strategies/"),
    "text": ("return 'BUY'", "BadSignal: text:Wild returned str, not a Signal"),
    "nan": (
        "return Signal(SignalType.BUY, float('nan'), 1.0, ())",
        "BadSignal: nan:Wild returned strength nan, not 0 to 1",
    ),
    "rsi": (
        "return Signal(SignalType.HOLD, 0.0, 1.0, (), {'rsi': float('nan')})",
        "BadSignal: rsi:Wild returned indicator 'rsi' nan, not a finite number: leave it",
    ),
    "exits": (
        "raise SystemExit(0)",
        "BadSignal: exits:Wild called exit(0) in pure/bot_desk.py",
    ),
    "none": ("return None", "BadSignal: none:Wild returned NoneType, not a Signal"),
}
BOT = """
[[bots]]
name = "{name}"
account = "main"
symbol = "BTC/USDT"
strategy = "{name}:Wild"
capital = 10_000
position_percent = 10
stop_loss_percent = 2
evaluate_s = 0.2
check_s = 0.5
threshold = 2
"""
FALL = """
phases = [{ at_s = 5, duration_s = 3, percent = -6, symbol = "BTC/USDT" }]
"""
BUYS_ONCE = """
from actors.messages import Signal, SignalType


class Wild:
    candles_min = 0

    def evaluate(self, view):
        if view.position is None:
            return Signal(SignalType.BUY, 1.0, 1.0, ("once",))
        {then}
"""
HANGS = CHURN.replace(
    "        kind =",
    """        self.asked = getattr(self, "asked", 0) + 1
        while self.asked > 12 and view.symbol == "BTC/USDT":
            pass
        kind =""",
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One tame bot among wild ones, on a market that falls."""
    home = tmp_path_factory.mktemp("wild")
    tail = FALL + "".join(BOT.format(name=name) for name in WILD)
    for name, (then, _) in WILD.items():
        write_strategy(home, name, BUYS_ONCE.replace("{then}", then))
    with running_fleet(write_sim_fleet(home, bots=2, tail=tail)) as desk:
        desk.wait_until(lambda: WILD.keys() <= closed(desk).keys())
        yield desk


def closed(desk: Desk) -> dict[str, PositionClosed]:
    """Return the last position that each bot closed."""
    return {fact.bot: fact for fact in only(PositionClosed, desk.facts())}


@pytest.mark.parametrize("name", WILD)
def test_its_circuit_opens_and_its_position_stays_guarded(desk: Desk, name: str) -> None:
    actor = f"bot:{name}"
    lines = [line for line in desk.said().splitlines() if f"  {actor} " in line]
    opened = [line for line in lines if "circuit open: 2 failures in a row" in line]
    assert WILD[name][1] in opened[0]
    assert opened[0].endswith("its position stays guarded")
    assert desk.actors()[f"bots/{actor}"]["state"] == "OPEN"
    assert closed(desk)[name].exit_reason is ExitReason.STOP_LOSS


def test_its_neighbours_trade_on(desk: Desk) -> None:
    assert desk.actors()["bots/bot:churn-1"]["incarnation"] == 1
    before = desk.bots()["churn-1"]["fills"]
    desk.wait_until(lambda: desk.bots()["churn-1"]["fills"] > before)


def test_a_strategy_that_never_returns_ends_the_process_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim, bots=3)
        write_strategy(tmp_path, "churn", HANGS)
        with running_fleet(file, "--live", "--stuck", "8", environment=KEYS) as desk:
            assert desk.end() == 1
            assert "Timeout (0:00:08" in desk.said()
            place = rf'File "{tmp_path}/strategies/churn.py", line 1[01] in evaluate'
            assert re.search(place, desk.said()), desk.said()[-3000:]
        write_strategy(tmp_path, "churn", CHURN)
        with running_fleet(file, "--live", environment=KEYS) as desk:
            desk.wait_for(FleetStarted, 2)
            taken = sim.truth()["orders_taken"]
            desk.wait_until(lambda: sim.truth()["orders_taken"] > taken)
            assert wait_for_agreement(sim, tmp_path / "var") == []
            assert desk.stop()[0] == 0
        assert disagreements(sim, tmp_path / "var", settled_s=0) == []
