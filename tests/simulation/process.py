"""One life of the engine's process: the real fleet on the simulated world."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

import attrs
import trio

from actors.fleet import Fleet
from actors.fleet_scribe import Scribe
from actors.fleet_settings import fingerprint
from actors.fleet_stage import open_stage
from actors.fleet_world import Venue, World
from actors.messages import Fact, Signal, SignalType
from actors.messages.board import Alarmed
from actors.messages.supervision import Transition
from actors.ports import Trading
from actors.pure.client_order_id import account_tag, epoch_text
from actors.pure.config import BotConfig, Config
from actors.pure.market_view import MarketView, Strategy
from actors.pure.strategies import BUILT_IN, build
from adapters.kraken.nonces import RamNonces
from adapters.secrets import Secret
from tests.simulation.absence import Absence
from tests.simulation.assassin import LIFE, is_parked, tasks_below
from tests.simulation.clocks import MachineClock
from tests.simulation.desk import ACCOUNT, OperatorWord, SimDesk
from tests.simulation.disk import Disk, SimStore
from tests.simulation.limits_memory import LimitsFile, SimMemory, SimNonces
from tests.simulation.network import Network, Owner, SimStream
from tests.simulation.network_http import over
from tests.simulation.trace import Trace
from tests.simulation.venues import Reach, open_simulated
from tests.simulation.witness import Watched, Witness

KEY = "simulated-key"
SECRET = "c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcyEhISE="  # with which every exchange signs
PASSPHRASE = "simulated-passphrase"


@attrs.define(eq=False)
class Machine:
    """What the engine's machine keeps while processes come and go."""

    seed: int
    config: Config
    trace: Trace
    network: Network
    disk: Disk
    clock: MachineClock
    complain: Callable[[str], None]
    order_left: Callable[[], None]
    tell: Callable[[Process, Transition], None]
    sent: dict[str, float] = attrs.Factory(dict[str, float])  # orders, and when
    operator: OperatorWord = attrs.Factory(OperatorWord)
    decided: Counter[tuple[str, str]] = attrs.Factory(Counter[tuple[str, str]])
    limits: LimitsFile = attrs.Factory(LimitsFile)
    absence: Absence = attrs.Factory(Absence)  # of a bot, as the next process finds it
    nonces: RamNonces = attrs.Factory(RamNonces)  # the machine's: it outlives processes
    alarmed: Callable[[Alarmed], None] = lambda _: None  # what a person is told
    is_quiet: bool = False  # strategies hold: only what is open goes on
    strategies: dict[str, Callable[[], Strategy]] = attrs.Factory(
        dict[str, Callable[[], Strategy]]
    )  # a run's own, by the name that bots.toml has


@attrs.define(eq=False)
class Process:
    """One life. `run` it in a task whose context carries its number."""

    machine: Machine
    number: int
    config: Config = attrs.field(init=False)
    owner: Owner = attrs.field(init=False)
    store: SimStore = attrs.field(init=False)
    desk: SimDesk = attrs.field(init=False)
    ended: trio.Event = attrs.Factory(trio.Event)  # by itself, or by death
    gone: trio.Event = attrs.Factory(trio.Event)  # with its last task
    fleet: Fleet | None = None
    alarms: dict[tuple[str, str, str], Alarmed] = attrs.Factory(
        dict[tuple[str, str, str], Alarmed]
    )  # that a person was told and that are not over
    is_stopping: bool = False
    was_killed: bool = False
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _stop: trio.CancelScope = attrs.Factory(trio.CancelScope)

    def __attrs_post_init__(self) -> None:
        self.config = self.machine.absence.of(self.machine.config)
        self.owner = Owner(f"process {self.number}")
        self.store = SimStore(self.machine.disk, self.owner)
        self.desk = SimDesk(
            self.machine.operator,
            self.machine.clock.awake_s,
            lambda: not self.owner.is_dead,
            self.machine.trace.note,
            [bot.name for bot in self.config.bots_of(ACCOUNT)],
        )

    async def run(self) -> None:
        """Run the fleet until it is stopped or dies.

        Raises:
          ExceptionGroup: of `Escalated`, when an actor could not be kept alive.
        """
        LIFE.set(self.number)
        try:
            with self._scope:
                async with AsyncExitStack() as opened:
                    scribe = Scribe(partial(self.machine.tell, self))
                    world = await self._open(opened, scribe.report)
                    stage = open_stage(self.config)
                    self.fleet = Fleet(stage, world)
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(scribe.run, stage.mailboxes["journal"])
                        with self._stop:
                            await self.fleet.run()
                        nursery.cancel_scope.cancel()
        finally:
            self.owner.is_dead = True
            self.ended.set()
            self.gone.set()

    def stop(self) -> None:
        """Tell it to stop, as SIGTERM does."""
        self.is_stopping = True
        self._stop.cancel()

    def die(self, *, is_power_lost: bool) -> None:
        """End it as SIGKILL does: its tasks may run on, nothing they do leaves."""
        machine, self.was_killed = self.machine, True
        machine.network.kill(self.owner)
        machine.disk.process_died(is_power_lost=is_power_lost)
        machine.limits.process_died(is_power_lost=is_power_lost)
        self._scope.cancel()
        if self.fleet is not None:
            self.fleet.root.hurry()
        self.ended.set()

    def crashable(self) -> list[trio.lowlevel.Task]:
        """Return the tasks of its actors that wait at a cancel point, in a fixed order."""
        return [task for tasks in self.crashable_by_actor() for task in tasks]

    def crashable_by_actor(self) -> list[list[trio.lowlevel.Task]]:
        """Return the same, one list for each actor that has any."""
        if self.fleet is None or self.owner.is_dead:
            return []
        found = [
            [task for task in tasks_below(seat.task) if is_parked(task)]
            for _, seat in self.fleet.root.seats()
            if seat.nested is None and seat.task is not None and seat.is_alive
        ]
        return [tasks for tasks in found if tasks]

    def bots(self) -> list[trio.lowlevel.Task]:
        """Return the tasks of the bots that are alive, in a fixed order."""
        if self.fleet is None or self.owner.is_dead:
            return []
        return [
            seat.task
            for _, seat in self.fleet.root.seats()
            if seat.task is not None and seat.is_alive and "/bot:" in seat.path
        ]

    async def _open(
        self, opened: AsyncExitStack, report: Callable[[Transition], None]
    ) -> World:
        machine = self.machine
        exchange = exchange_of(machine.config)
        reach = Reach(
            machine.clock,
            SimMemory(machine.limits, self.owner),
            SimNonces(machine.nonces, self.owner),
            self._dial,
            over(partial(machine.network.connect, self.owner)),
            PASSPHRASE if machine.config.accounts["main"].passphrase else "",
        )
        market, sign = await open_simulated(opened, exchange, reach)
        epoch = epoch_text(int(machine.disk.epoch, 16))
        accounts = self._accounts(sign)
        venue = Venue(market, accounts.__getitem__)
        return World(
            execution=f"{self.number:08x}",
            epoch=epoch,
            clock=machine.clock,
            random=random.Random(f"{machine.seed}/process/{self.number}"),
            store=self.store,
            emergency={"main": self.store.emergency},
            space=self.store.space,
            venues={exchange: venue},
            desk=self.desk,
            tags={"main": tag_of(machine.config)},
            strategies={bot.name: partial(self._strategy, bot) for bot in self.config.bots},
            digests={},
            say=lambda text: machine.trace.note(f"journal {text}"),
            announce=self._announce,
            report=report,
            is_stopping=lambda: self.is_stopping,
        )

    def _accounts(self, sign: Callable[[Secret, Secret], Trading]) -> dict[str, Trading]:
        """Return what stands before each account at the exchange."""
        trading = sign(Secret(KEY), Secret(SECRET))
        tag, bar = tag_of(self.machine.config), self.machine.operator.bar
        return {"main": self.witness(trading, self.machine.disk, tag, bar)}

    def witness(
        self, trading: Trading, disk: Disk, tag: str, bar: Callable[[str, float], str]
    ) -> Trading:
        """Return one account, watched: `disk` has its ledger."""
        machine = self.machine
        watched = Watched(
            disk,
            machine.sent,
            tag,
            epoch_text(int(disk.epoch, 16)),
            awake_s=machine.clock.awake_s,
            is_alive=lambda: not self.owner.is_dead,
            complain=machine.complain,
            order_left=machine.order_left,
            bar=bar,
        )
        return Witness(trading, watched)

    async def _dial(self, host: str, port: int, is_secure: bool) -> SimStream:
        return await self.machine.network.connect(self.owner)

    def _strategy(self, bot: BotConfig) -> Strategy:
        key = f"{self.number:08x}", bot.name
        own = self.machine.strategies.get(bot.strategy)
        if own is not None:
            return Quiet(own(), self.machine, key)
        made = BUILT_IN.get(bot.strategy, Churn)
        return Quiet(build(made, bot.params), self.machine, key)

    def _announce(self, at_ms: int, fact: Fact | Alarmed) -> None:
        if not isinstance(fact, Alarmed):
            return
        self.machine.alarmed(fact)
        self.alarms.pop((key := (fact.actor, fact.code, fact.subject)), None)
        if not fact.is_over:
            self.alarms[key] = fact


def tag_of(config: Config, key: str = KEY) -> str:
    """Return what the client order ids of an account begin with."""
    return account_tag(fingerprint(exchange_of(config), config.mode, key))


def exchange_of(config: Config) -> str:
    """Return the exchange that the run trades on."""
    return next(iter(config.accounts.values())).exchange


class Churn:
    """Buy and sell in turn, as often as it is asked."""

    candles_min = 0

    def evaluate(self, view: MarketView) -> Signal:
        kind = SignalType.BUY if view.position is None else SignalType.SELL
        return Signal(kind, 1.0, 1.0, ("churn",))


@attrs.define
class Quiet:
    """A strategy that holds once the run wants calm."""

    inner: Strategy
    machine: Machine
    key: tuple[str, str]  # run and bot

    @property
    def candles_min(self) -> int:
        return self.inner.candles_min

    def evaluate(self, view: MarketView) -> Signal:
        if self.machine.is_quiet:
            return Signal(SignalType.HOLD, 0.0, 1.0, ("the run wants calm",))
        signal = self.inner.evaluate(view)
        self.machine.decided[self.key] += signal.type is not SignalType.HOLD
        return signal


__all__ = ["KEY", "PASSPHRASE", "SECRET", "Machine", "Process", "tag_of"]
