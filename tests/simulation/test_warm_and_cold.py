"""Actors that believe something else than the ledger are seen (R-13)."""

from __future__ import annotations

from typing import Any

from actors.messages import Halted
from tests.simulation.assassin import Assassin
from tests.simulation.schedule import draw
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Simulation
from tests.simulation.warm_and_cold import BODIES, disagreements, lives


class Forgetting(Simulation):
    """Once all is settled, one order that ended goes out of every living actor's mind."""

    async def _settle(self) -> None:
        await super()._settle()
        process = self.process
        assert process is not None
        assert disagreements(process, self.disk) == []
        for name, life in lives(process, "main"):
            ended = _books(name, life).orders._ended
            if ended or name != "run_bot":  # one of the bots traded nothing
                ended.popitem()
        self.said += disagreements(process, self.disk)


def _books(name: str, life: Any) -> Any:
    match name:
        case "run_orders":
            return life.gate.books
        case "run_risk":
            return life.state.books
        case "run_positions":
            return life.watch.books
        case "run_bot":
            return life.desk.sight.books
        case _:
            return life.books


def test_each_actor_that_forgot_an_order_is_seen() -> None:
    schedule, watcher = draw(1, is_calm=True), Assassin()

    async def main() -> list[str]:
        run = Forgetting(schedule, watcher, keeps_all=False)
        return (await run.run()).violations

    said = run_seeded(main, schedule.seed, [watcher])
    assert {each.partition(" believes")[0] for each in said} == {
        f"R-13: {name}" for name in BODIES
    }


class Uncounted(Simulation):
    """Once all is settled, risk has forgotten what was traded, and a halt."""

    async def _settle(self) -> None:
        await super()._settle()
        process = self.process
        assert process is not None
        state = dict(lives(process, "main"))["run_risk"].state
        for tally in state.usage._tallies.values():
            tally.turnover_quote += 1
            tally.attempts_ms.append(1)
        state.halts.apply(Halted("", "main", "operator", "why"))
        self.said += disagreements(process, self.disk)


def test_risk_that_counts_otherwise_than_the_ledger_is_seen() -> None:
    schedule, watcher = draw(1, is_calm=True), Assassin()

    async def main() -> list[str]:
        run = Uncounted(schedule, watcher, keeps_all=False)
        return (await run.run()).violations

    said = " ".join(run_seeded(main, schedule.seed, [watcher]))
    for what in ("halts is", "turnover_quote is", "attempts is"):
        assert what in said
