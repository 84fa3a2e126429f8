"""One scripted run without chance: a small fleet plays a scene, and is cut at one step.

A scene is a bots.toml, a strategy that decides by what it holds, and what the world does
meanwhile. It is over when the exchange and the ledger say so, not at a time, so that a
crash delays a scene and must not change its end (I-18).
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any, Final, Literal

import attrs
import trio

from actors.messages import PositionClosed, Side, Signal, SignalType
from actors.pure.facts import decode
from actors.pure.market_view import MarketView
from actors.pure.matching_orders import MAKERS, Kind, Lasting, NewOrder
from actors.pure.matching_orders import Order as VenueOrder
from adapters.simulator.config import BTC, ApiKey, Listing, SimulatorConfig
from tests.simulation.assassin import LIFE, Assassin, crash, is_parked
from tests.simulation.invariants import (
    ACCOUNT,
    balance_differences,
    differences,
    read_ledger,
)
from tests.simulation.process import KEY, SECRET
from tests.simulation.schedule import Schedule
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import SETTLE_S, Outcome, Simulation
from tests.simulation.venue import BALANCES

SEED: Final = 1
LOOK_S: Final = 0.2  # between two looks whether a scene is over
DOWN_S: Final = 0.2  # until a process that died is started again

CutKind = Literal["death", "power_loss", "crash_here", "crash_in_turn"]
KINDS: Final[tuple[CutKind, ...]] = ("death", "power_loss", "crash_here", "crash_in_turn")

# Prices stand still unless the scene moves them.
STILL: Final = attrs.evolve(BTC, volatility=0.0, trade_chance=0.0, levels=2)


@attrs.frozen
class Cut:
    """Where a run is cut: the engine's step after its first decision, and how."""

    kind: CutKind
    step: int


@attrs.frozen
class Plot:
    """What happens in a scene."""

    name: str
    config: str  # bots.toml; its bots' strategy is "script:Script"
    decide: Callable[[Scene, MarketView], SignalType]
    is_over: Callable[[Scene], bool]  # by the exchange's truth
    act: Callable[[Scene], Awaitable[None]] | None = None  # what the world does
    listing: Listing = STILL


@attrs.frozen
class Played:
    """What became of one run of a scene."""

    cut: Cut | None
    steps: int  # of the engine, from the first decision to the settled end
    target: str  # what was cut; "" when nothing could be
    end: tuple[str, ...]  # the state at the end, up to times and ids
    outcome: Outcome
    cpu_s: float


def play(
    plot: Plot,
    cut: Cut | None = None,
    *,
    keeps_all: bool = False,
    fork: Callable[[int], Cut | None] | None = None,
) -> Played:
    """Play a scene to its end, cut at most once; `fork` may branch before each step."""
    watcher = Sweeper(cut=cut, fork=fork)
    scenes: list[Scene] = []

    async def main() -> Outcome:
        scenes.append(Scene(plot, watcher, keeps_all=keeps_all))
        return await scenes[0].run()

    outcome = run_seeded(main, SEED, [watcher])
    cpu_s = time.process_time() - watcher.began_s
    steps, target = watcher.counted, watcher.target
    return Played(watcher.cut, steps, target, scenes[0].end, outcome, cpu_s)


@attrs.define(eq=False)
class Sweeper(Assassin):
    """Counts the engine's steps from its first decision on, and cuts at one of them."""

    cut: Cut | None = None
    fork: Callable[[int], Cut | None] | None = None  # in a branch, returns its cut
    began_s: float = attrs.Factory(time.process_time)  # of this process's work
    is_counting: bool = False
    counted: int = 0
    target: str = ""  # what was cut; "" while nothing was
    kill: Callable[[Cut], None] = print
    crashable: Callable[[], list[trio.lowlevel.Task]] = list
    actors: Callable[[], list[list[trio.lowlevel.Task]]] = list
    _is_here: bool = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        super().before_task_step(task)
        is_ours = self.life and task.context.get(LIFE, 0) == self.life
        if not self.is_counting or not is_ours:
            return
        number = self.counted
        self.counted += 1
        if self.fork is not None:
            self._branch(self.fork, number)
        cut = self.cut
        if cut is None or cut.step != number:
            return
        if cut.kind == "crash_here":
            self._is_here = True
        elif cut.kind == "crash_in_turn":
            self._crash_in_turn(number)
        else:
            self.target = f"process {self.life} before a step of {task.name}"
            self.kill(cut)

    def _branch(self, fork: Callable[[int], Cut | None], number: int) -> None:
        self.cut = fork(number)
        if self.cut is not None:
            self.fork, self.began_s = None, time.process_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Crash the task that has just run, at the cancel point where it waits now."""
        if not self._is_here:
            return
        self._is_here = False
        if is_parked(task) and task in self.crashable():
            self._crash(task)

    def _crash_in_turn(self, number: int) -> None:
        actors = self.actors()
        if actors:
            tasks = actors[number % len(actors)]
            self._crash(tasks[number // len(actors) % len(tasks)])

    def _crash(self, task: trio.lowlevel.Task) -> None:
        self.target = f"task {task.name}"
        crash(task, f"at step {self.counted - 1}")


class Scene(Simulation):
    """A simulation with a script instead of a schedule."""

    watcher: Sweeper

    def __init__(self, plot: Plot, watcher: Sweeper, *, keeps_all: bool) -> None:
        self.plot = plot
        schedule = Schedule(SEED, plot.config, (), 0.0, 0, 0.0)
        super().__init__(schedule, watcher, keeps_all=keeps_all)
        self.machine.strategies["script:Script"] = lambda: Script(self)
        self.end: tuple[str, ...] = ()
        watcher.kill = self._kill
        watcher.crashable = lambda: self.process.crashable() if self.process else []
        watcher.actors = self._actors

    @property
    def orders(self) -> list[VenueOrder]:
        """Return our orders as the exchange has them, oldest first."""
        orders = self.simulator.exchange.engine.orders.values()
        return [order for order in orders if order.account == ACCOUNT]

    def filled(self, side: Side) -> Decimal:
        """Return how much of our orders of one side was filled."""
        filled = (order.filled_base for order in self.orders if order.side is side)
        return sum(filled, Decimal(0))

    def take(self, side: Side, price: Decimal, base: Decimal) -> None:
        """Let somebody else trade against what rests at the exchange."""
        lot = self.plot.listing.lot
        symbol = self.plot.listing.venue_symbol
        new = NewOrder(
            MAKERS,
            "",
            symbol,
            side,
            Kind.LIMIT,
            base // lot * lot,
            price,
            lasting=Lasting.IOC,
        )
        dialect = self.simulator.dialect
        dialect.exchange.engine.place(new, dialect.exchange.now_ms())
        dialect.flush()

    def move_price(self, percent: float) -> None:
        """Let the market quote so much higher from its next step on."""
        ware: Any = self.simulator.exchange.wares[self.plot.listing.venue_symbol]
        ware.market._walk._anchor += math.log1p(percent / 100)

    def reset_sockets(self, kind: str) -> None:
        """Break the engine's connections of one kind."""
        network = self.machine.network
        for stream in network.clients():
            if stream.kind == kind:
                network.reset(stream)

    def decided(self) -> None:
        """Count from here on: a strategy wants something for the first time."""
        self.watcher.is_counting = True

    def _venue_config(self) -> SimulatorConfig:
        return SimulatorConfig(
            listings=(self.plot.listing,),
            keys=(ApiKey(ACCOUNT, KEY, SECRET, BALANCES),),
            ticks_per_s=1.0,
            ticker_ms=500,
        )

    async def _follow_schedule(self) -> None:
        await trio.lowlevel.checkpoint()

    async def _settle(self) -> None:
        async with trio.open_nursery() as nursery:
            if self.plot.act is not None:
                nursery.start_soon(self.plot.act, self)
            said = ["I-8: the scene did not come to its end"]
            with trio.move_on_after(SETTLE_S):
                while True:
                    await trio.sleep(LOOK_S)
                    if self.plot.is_over(self) and not (said := self._unsettled()):
                        break
            for each in said:
                self._complain(each)
            nursery.cancel_scope.cancel()
        self.watcher.is_counting = False
        self.end = tuple(self._end())

    def _unsettled(self) -> list[str]:
        books = read_ledger(self.disk, self.machine.sent)
        exchange = self.simulator.exchange
        said = differences(books, exchange)
        said += balance_differences(books, exchange, BALANCES)
        live = [each for each, order in books.orders.items() if order.is_live]
        said += [f"I-8: {each} has not ended here" for each in live]
        if books.reconciled is None:
            said.append("I-8: the account was never reconciled")
        opened, closed = (
            sum(row.row.kind == kind for row in self.disk.rows)
            for kind in ("position_opened", "position_closed")
        )
        if opened != closed:
            said.append(f"I-8: {opened} positions opened, {closed} closed")
        return said

    def _end(self) -> Iterator[str]:
        """Return what a crash must not change: no ids, no times (I-18)."""
        wallets = self.simulator.exchange.engine.wallets
        for asset in sorted(BALANCES):
            holding = wallets.holding(ACCOUNT, asset)
            yield f"{asset} free {holding.free:.8f} locked {holding.locked:.8f}"
        for order in self.orders:
            if order.filled_base or order.is_open:
                yield (
                    f"{order.side.value} {order.kind.value} {order.base} at {order.price}"
                    f" stop {order.stop_price}: {order.status.value},"
                    f" {order.filled_base} for {order.filled_quote}"
                )
        for each in self.disk.rows:
            if each.row.kind == "position_closed":
                fact = decode(each.row.kind, each.row.body)
                if isinstance(fact, PositionClosed):  # its notes say who asked
                    yield str(attrs.evolve(fact, position_id="", notes=""))

    def _kill(self, cut: Cut) -> None:
        process = self.process
        if process is not None:
            self.counts["process deaths"] += 1
            self.chaos.process_down_s = DOWN_S
            self.watcher.life = 0
            process.die(is_power_lost=cut.kind == "power_loss")

    def _actors(self) -> list[list[trio.lowlevel.Task]]:
        return self.process.crashable_by_actor() if self.process is not None else []


@attrs.define
class Script:
    """The strategy of a scene: it decides by what the exchange and the bot hold."""

    scene: Scene
    candles_min: int = 0

    def evaluate(self, view: MarketView) -> Signal:
        kind = self.scene.plot.decide(self.scene, view)
        if kind is not SignalType.HOLD:
            self.scene.decided()
        return Signal(kind, 1.0, 1.0, ("the script says so",))
