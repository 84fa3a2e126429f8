"""The venue's limits over many process deaths, as the venue itself counts (I-21, R-28)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from adapters.binance.gate import CONNECTS_MAX
from adapters.simulator.config import Limits, SimulatorConfig
from adapters.simulator.faults import Fault
from adapters.simulator.server import Simulator
from adapters.simulator.venue_limits import VenueLimits
from adapters.spent import Spent
from tests.simulation.assassin import Assassin
from tests.simulation.clocks import UNIX_MS, VenueClock
from tests.simulation.limits_memory import SimMemory
from tests.simulation.schedule import Death, VenueFault, draw
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Simulation
from tests.simulation.venue_limits_check import CONNECTS, limit_violations

BOT = """
[[bots]]
name = "bot-{number}"
account = "main"
symbol = "BTC/USDT"
strategy = "churn:Churn"
timeframe = "1s"
capital = 100
position_percent = 20
evaluate_s = 60
"""
WEIGHT = 600  # a minute; all lives together would spend more
BAN_S = 12.0


class Pressed(Simulation):
    """A venue that allows little, and processes that die every other second."""

    def _venue_config(self) -> SimulatorConfig:
        return attrs.evolve(super()._venue_config(), limits=Limits(weight_1m=WEIGHT))

    async def run_and_count(self) -> tuple[Sequence[str], int, int]:
        outcome = await self.run()
        limits = self.simulator.exchange.limits
        said = [it for it in outcome.violations if it.startswith(("I-21", "R-28"))]
        return said, limits.weight_peak, outcome.counts["process deaths"]


def press(seed: int) -> tuple[Sequence[str], int, int]:
    """Return what was broken, the most weight in a minute, and how many processes died."""
    ban = VenueFault(20.0, Fault("ban", duration_s=0.5, delay_s=BAN_S))
    deaths = [Death(2.0 + 2.0 * n, 40, down_s=0.2) for n in range(26)]
    calm = draw(seed, is_calm=True)
    events = sorted([*deaths, ban], key=lambda event: event.at_s)
    schedule = attrs.evolve(calm, events=tuple(events))
    watcher = Assassin()

    async def main() -> tuple[Sequence[str], int, int]:
        return await Pressed(schedule, watcher, keeps_all=False).run_and_count()

    return run_seeded(main, schedule.seed, [watcher])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_lives_together_stay_within_one_budget_and_one_ban(seed: int) -> None:
    said, peak, deaths = press(seed)
    assert said == []
    assert WEIGHT / 3 < peak <= WEIGHT
    assert deaths > 20


def _remembers_nothing(_memory: SimMemory) -> Spent:
    return Spent(is_sure=True)


def test_the_check_finds_lives_that_remember_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SimMemory, "look", _remembers_nothing)
    said, peak, _ = press(1)
    assert peak > WEIGHT
    assert [it[:4] for it in said] == ["I-21", "R-28"]


def test_the_check_finds_more_connections_than_the_venue_allows() -> None:
    async def main() -> tuple[Sequence[str], Sequence[str]]:
        clock = VenueClock(UNIX_MS)
        exchange = Simulator(SimulatorConfig(), seed=1, clock=lambda: clock).exchange
        for _ in range(CONNECTS):
            exchange.limits.connect("here", UNIX_MS)
        allowed = limit_violations(exchange, is_network_true=True)
        exchange.limits.connect("here", UNIX_MS)
        return allowed, limit_violations(exchange, is_network_true=True)

    allowed, (said,) = run_seeded(main, 1)
    assert allowed == []
    assert said.startswith("R-27: 301 connections")


def test_a_word_that_died_on_its_way_forbids_the_next_process_nothing() -> None:
    limits = VenueLimits(Limits())
    limits.forbid("here", 20_000, 0)
    limits.forbid("here", 60_000, 9_000)
    limits.unheard(9_500)
    limits.arrive("here", 19_000)
    assert limits.while_forbidden == 1  # the first word was heard long before
    limits.arrive("here", 21_000)
    assert limits.while_forbidden == 1
    limits.forbid("here", 60_000, 30_000)
    limits.unheard(31_000)
    limits.arrive("here", 40_000)
    assert limits.while_forbidden == 2


def test_a_word_told_to_who_has_just_crashed_forbids_nothing() -> None:
    limits = VenueLimits(Limits())
    limits.deaf(10_000)
    limits.forbid("here", 60_000, 10_500)
    limits.arrive("here", 20_000)
    assert limits.while_forbidden == 0
    limits.forbid("here", 60_000, 21_000)
    limits.arrive("here", 30_000)
    assert limits.while_forbidden == 1


def test_a_hundred_bots_before_a_door_that_slams_connect_within_the_budget() -> None:
    """The venue accepts and closes at once, for four minutes (R-27)."""
    storm = VenueFault(2.0, Fault("storm", duration_s=240.0))
    calm = draw(1, is_calm=True)
    config = calm.config.partition("[[bots]]")[0] + "".join(
        BOT.format(number=number) for number in range(100)
    )
    schedule = attrs.evolve(calm, config=config, events=(storm,), chaos_s=245.0)
    watcher = Assassin()

    async def main() -> tuple[Sequence[str], int, int]:
        run = Simulation(schedule, watcher, keeps_all=False)
        outcome = await run.run()
        return outcome.violations, run.simulator.exchange.limits.connects_peak, 0

    said, connects, _ = run_seeded(main, schedule.seed, [watcher])
    assert said == []
    assert 10 < connects <= CONNECTS_MAX
