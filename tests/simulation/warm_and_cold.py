"""What living actors believe is what a cold start would make of the ledger (R-13, D-5).

An actor that has run for long has followed the ledger fact by fact, has applied its own
facts a moment early, and has been told some of them twice. One that starts now recalls
them all. The state of the first is looked up in its task's own frames, so that nothing of
the engine is there for this test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import trio

from actors.bot import READS
from actors.messages import Fact
from actors.pure.books import Books
from actors.pure.bot_sight import BotSight
from actors.pure.facts import decode
from actors.pure.order_gate import Gate
from actors.pure.risk_state import RiskState
from actors.pure.watch import Watch
from tests.simulation.assassin import tasks_below
from tests.simulation.disk import Disk
from tests.simulation.process import Process

BODIES = frozenset({"run_orders", "run_account", "run_positions", "run_risk", "run_bot"})


def disagreements(process: Process, disk: Disk, account: str = "main") -> list[str]:
    """Return by actor of an account what a cold start would know otherwise."""
    rows = disk.rows[: disk.visible]
    facts = [decode(each.row.kind, each.row.body) for each in rows]
    return [
        f"R-13: {name} believes otherwise than the ledger: {what}"
        for name, life in lives(process, account)
        for what in _compared(name, life, facts)
    ]


def lives(process: Process, account: str) -> Iterator[tuple[str, Any]]:
    """Return the state of each actor that lives, by the name of its body; bots, too."""
    if process.fleet is None:
        return
    served = {account, *(bot.name for bot in process.machine.config.bots_of(account))}
    for _, seat in process.fleet.root.seats():
        if seat.task is None or not seat.is_alive:
            continue
        if seat.child.name.partition(":")[2] not in served:
            continue
        for task in tasks_below(seat.task):
            life = _life_in(task)
            if life is not None:
                yield life


def _life_in(task: trio.lowlevel.Task) -> tuple[str, Any] | None:
    for frame, _ in task.iter_await_frames():
        name = frame.f_code.co_name
        if name in BODIES and "life" in frame.f_locals:
            return name, frame.f_locals["life"]
    return None


def _compared(name: str, life: Any, facts: Sequence[Fact]) -> Iterator[str]:
    match name:
        case "run_orders":
            cold_gate = Gate.of(facts)
            yield from _books("orders", life.gate.books, cold_gate.books)
            yield from _differs("paused", life.gate.bars.paused, cold_gate.bars.paused)
            yield from _differs("stopped", life.gate.bars.stopped, cold_gate.bars.stopped)
        case "run_account":
            books = Books()
            for fact in facts:
                books.apply(fact)
            yield from _books("account", life.books, books)
        case "run_bot":
            yield from _sights(life.desk.sight, facts)
        case "run_risk":
            state = RiskState()
            for fact in facts:
                state.apply(fact)
            yield from _books("risk", life.state.books, state.books)
            yield from _differs("halts", life.state.halts, state.halts)
            yield from _usage(life.state.usage, state.usage)
        case _:
            yield from _watches(life.watch, facts)


def _sights(warm: BotSight, facts: Sequence[Fact]) -> Iterator[str]:
    name, cold = warm.settings.name, BotSight(warm.settings)
    for fact in facts:
        if type(fact) in READS and getattr(fact, "bot", "") == name:
            cold.remember(fact)
    yield from _books(name, warm.books, cold.books)
    for what in ("paused", "is_stopped"):
        yield from _differs(f"{name} {what}", getattr(warm, what), getattr(cold, what))


def _usage(warm: Any, cold: Any) -> Iterator[str]:
    """Compare what was traded today, and the orders that the warm one still counts."""
    for bot in sorted(warm._tallies.keys() | cold._tallies.keys()):
        one, other = warm._of(bot), cold._of(bot)
        for what in ("turnover_quote", "fees_quote") if one.day == other.day else ():
            yield from _differs(f"{bot} {what}", getattr(one, what), getattr(other, what))
        counted, all_of_them = list(one.attempts_ms), list(other.attempts_ms)
        newest = all_of_them[len(all_of_them) - len(counted) :]
        yield from _differs(f"{bot} attempts", counted, newest)


def _watches(warm: Watch, facts: Sequence[Fact]) -> Iterator[str]:
    cold = Watch(warm.account, warm.wards, warm.instruments)
    for fact in facts:
        cold.apply(fact)
    yield from _books("positions", warm.books, cold.books)
    yield from _differs("guards", set(warm.guards), set(cold.guards))
    for owner in warm.guards.keys() & cold.guards.keys():
        one, other = warm.guards[owner], cold.guards[owner]
        for what in ("triggered", "is_recorded", "position_id"):
            yield from _differs(f"{owner} {what}", getattr(one, what), getattr(other, what))
        for what in ("stop_loss", "take_profit"):
            levels = getattr(one.levels, what), getattr(other.levels, what)
            if None in levels or abs(levels[0] - levels[1]) >= one.instrument.tick:
                yield from _differs(f"{owner} {what}", *levels)  # else the tick changed
        percents = one.levels.trailing_stop, other.levels.trailing_stop
        yield from _differs(f"{owner} trailing_stop", *percents)


def _books(name: str, warm: Books, cold: Books) -> Iterator[str]:
    if _without_words(warm) != _without_words(cold):
        yield f"the books of {name}"


def _without_words(books: Books) -> Books:
    """Return books without the words beside an end, which two actors may have told (R-08).

    While the ledger took nothing, one of them could not know of the other's.
    """
    ended = {
        order.client_order_id: attrs.evolve(order, code="", reason="")
        for order in books.orders.ended()
    }
    return attrs.evolve(books, orders=attrs.evolve(books.orders, ended=ended))


def _differs(name: str, warm: object, cold: object) -> Iterator[str]:
    if warm != cold:
        yield f"{name} is {warm!r}, a cold start has {cold!r}"
