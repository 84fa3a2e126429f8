"""One run of the fleet, from the lock on its folder to its exit code."""

from __future__ import annotations

import faulthandler
import gc
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path

import attrs
import trio

from actors import exit_codes
from actors.errors import Escalated, leaves
from actors.fleet import Fleet
from actors.fleet_adapters import BadFleet, Ears, open_world
from actors.fleet_scribe import Scribe
from actors.fleet_signals import stop_after, watch_signals
from actors.fleet_stage import Stage, open_stage
from actors.fleet_world import World
from actors.messages import (
    Fact,
    FleetStarted,
    FleetStopped,
    PriceUpdated,
    SignalGenerated,
    SignalType,
    Supervised,
)
from actors.messages.board import Alarmed
from actors.messages.supervision import Event, Transition
from actors.ports_store import Row
from actors.pure.config import Config, Mode, summary
from actors.pure.error_text import error_text
from actors.pure.fact_words import words
from actors.pure.facts import encode, key_of, kind_of
from actors.pure.lines import actor_of
from actors.pure.mode_words import mode_words
from actors.pure.owners import HOUSE, bots_of, journal_of
from actors.pure.transition_line import transition_words
from adapters.clock import SystemClock
from adapters.files import StateUnusable, be_private, held_folder, prepare_folder
from adapters.log import Log, LogFormat, set_up
from adapters.log_sink import LogSink
from adapters.secrets import Redaction, SecretError
from adapters.state import run_folder

PETS = 12  # times that a stuck process is given before it ends, one turn each


@attrs.frozen
class RunOptions:
    """What the command line says of one run."""

    log_format: LogFormat = LogFormat.HUMAN
    for_s: float | None = None
    home: Path = Path()  # the folder of bots.toml
    stuck_s: float = 60.0  # without a turn of the event loop the process ends
    started_s: float = attrs.Factory(time.perf_counter)


def run_fleet(config: Config, options: RunOptions) -> int:
    """Run the fleet of `config` until it is told to stop; return the exit code."""
    be_private()
    redaction = Redaction()
    sink = LogSink(sys.stdout)
    clock = SystemClock()
    screen = set_up(
        sink,
        redaction=redaction,
        now_ms=clock.now_ms,
        log_format=options.log_format,
        mode=config.mode.value,
    )
    code = exit_codes.OK
    try:
        state = prepare_folder(Path(config.state))
        with held_folder(state):
            run = _Run(config, options, screen, redaction, state, secrets.token_hex(4))
            code = trio.run(run.main)
    except* KeyboardInterrupt:
        sys.stderr.write("interrupted before the fleet was up\n")
        code = exit_codes.FORCED
    except* (StateUnusable, SecretError, BadFleet) as errors:
        for error in leaves(errors):
            sys.stderr.write(f"{error}\n")
        code = exit_codes.BAD_INPUT
    finally:
        sink.close()
    return code


@attrs.define(eq=False)
class _Run:
    config: Config
    options: RunOptions
    screen: Log
    redaction: Redaction
    state: Path
    execution: str
    reason: str = "the fleet ended by itself"
    stop_count: int = 0  # how often it was told to stop
    ending: trio.Event = attrs.Factory(trio.Event)  # without a signal

    async def main(self) -> int:
        """Open the world, run the tree in it, and close what was opened."""
        async with AsyncExitStack() as opened:
            folder = run_folder(self.state, self.config.mode.value, self.execution)
            scribe = Scribe(self._say)
            world = await open_world(
                opened,
                self.config,
                folder=folder,
                home=self.options.home,
                execution=self.execution,
                redaction=self.redaction,
                ears=Ears(
                    say=partial(self.screen.warning, actor="journal"),
                    announce=self._announce,
                    report=scribe.report,
                    is_stopping=lambda: self.stop_count == 1,  # more skip the goodbyes
                ),
            )
            stage = open_stage(self.config)
            for owner in (HOUSE, *world.ledgers):
                await self._write(world, owner, [self._started(world, owner)])
            code = await self._run_tree(stage, world, scribe)
            stopped = FleetStopped(self.execution, self.reason)
            for owner in world.ledgers:
                await self._write(world, owner, [stopped])
            await self._write(world, HOUSE, [*scribe.left(), stopped])
            self.screen.info(f"stopped: {self.reason}", actor="fleet")
        return code

    async def _run_tree(self, stage: Stage, world: World, scribe: Scribe) -> int:
        await trio.lowlevel.checkpoint()
        fleet = Fleet(stage, world)
        code = exit_codes.OK
        try:
            async with trio.open_nursery() as nursery:
                stop = trio.CancelScope()
                nursery.start_soon(scribe.run, stage.mailboxes["journal"])
                nursery.start_soon(_keep_alive, self.options.stuck_s)
                watch = partial(watch_signals, note=self._signal, ending=self.ending)
                await nursery.start(watch, stop, fleet.root.hurry)
                if (for_s := self.options.for_s) is not None:
                    nursery.start_soon(stop_after, stop, for_s, self._time_is_over)
                nursery.start_soon(self._play_crashes, fleet)
                with stop:
                    async with trio.open_nursery() as tree:
                        await tree.start(fleet.run)
                        gc.freeze()  # what stands now stays: a collection pauses all
                        self._say_up(world)
                nursery.cancel_scope.cancel()
        except* Escalated as errors:
            for error in leaves(errors):
                self.reason = f"escalated: {_why(error)}"
                self.screen.error(self.reason, actor="fleet")
            code = exit_codes.ESCALATED
        if code == exit_codes.OK and self.stop_count > 1:
            code = exit_codes.FORCED
        return code

    def _time_is_over(self) -> None:
        self.stop_count, self.reason = 1, f"ran for {self.options.for_s:g} s"
        self.ending.set()

    async def _play_crashes(self, fleet: Fleet) -> None:
        """Crash the actors that the demonstration's script names, in mode "sim"."""
        await trio.lowlevel.checkpoint()
        if self.config.mode is not Mode.SIM:
            return
        begun_s = trio.current_time()
        for crash in sorted(self.config.simulator.crash, key=lambda each: each.at_s):
            await trio.sleep_until(begun_s + crash.at_s)
            fleet.crash(crash.actor)

    def _signal(self, count: int) -> None:
        self.stop_count = count
        self.reason = "told to stop" if count == 1 else "told to stop at once"
        self.screen.info(
            "stopping from bottom to top; a second signal skips the goodbyes"
            if count == 1
            else "goodbyes are skipped; a third signal ends the process",
            actor="fleet",
        )

    def _say_up(self, world: World) -> None:
        up_s = time.perf_counter() - self.options.started_s
        text = f"up in {up_s:.2f} s · {summary(self.config)} · run {self.execution}"
        self.screen.info(text, actor="fleet")
        for bot, digest in world.digests.items():
            self.screen.info(f"its own strategy, SHA-256 {digest}", actor=f"bot:{bot}")
        for account, told in mode_words(self.config, world.tags).items():
            self.screen.info(told, actor=f"account:{account}")

    def _say(self, transition: Transition) -> None:
        if transition.event is Event.ESCALATED and "/" not in transition.path:
            self.ending.set()  # what hangs now would hang for ever
        if transition.event is Event.STARTING and not transition.error:
            return
        tell = self.screen.warning if transition.error else self.screen.info
        tell(
            transition_words(transition),
            actor=transition.path.rsplit("/", 1)[-1] or "fleet",
            path=transition.path,
            incarnation=transition.incarnation,
            supervision=transition.event.value,
            old=transition.old.value,
            new=transition.new.value,
            error=transition.error,
            consecutive=transition.consecutive,
            delay_s=transition.delay_s,
            uptime_s=round(transition.uptime_s, 3),
            mailbox_depth=transition.mailbox_depth,
        )

    def _announce(self, at_ms: int, fact: Fact | Alarmed) -> None:
        if isinstance(fact, Alarmed):
            said = f"{'alarm over' if fact.is_over else 'ALARM'}: {fact.text}"
            self.screen.warning(said, actor=fact.actor, at_ms=at_ms, code=fact.code)
            return
        if isinstance(fact, Supervised):
            return  # said when it happened
        tell = self.screen.debug if _is_quiet(fact) else self.screen.info
        tell(words(fact), actor=actor_of(fact), at_ms=at_ms, fact=kind_of(type(fact)))

    def _started(self, world: World, owner: str) -> FleetStarted:
        """Return the first row of a ledger: the house's names all bots."""
        bots = bots_of(self.config, owner) if owner != HOUSE else self.config.bots
        names = tuple(bot.name for bot in bots)
        digests = {name: world.digests[name] for name in names if name in world.digests}
        return FleetStarted(
            self.execution,
            self.config.mode.value,
            names,
            version("shoal"),
            tuple(f"{bot} {digest}" for bot, digest in digests.items()),
            tuple(str(self.config.pair_of(bot)) for bot in bots),
        )

    async def _write(self, world: World, owner: str, facts: Sequence[Fact]) -> None:
        """Write rows while no journal runs."""
        wall_ms, awake_ms = world.clock.now_ms(), int(world.clock.awake_s() * 1000)
        rows = [
            Row(
                kind_of(type(fact)),
                key_of(fact),
                getattr(fact, "bot", ""),
                getattr(fact, "account", ""),
                getattr(fact, "symbol", ""),
                wall_ms,
                awake_ms,
                encode(fact),
            )
            for fact in facts
        ]
        with trio.move_on_after(5, shield=True):
            await trio.lowlevel.checkpoint()
            try:
                await world.ledger(owner).store.append(rows)
            except OSError as error:
                self.screen.error(f"takes no more: {error}", actor=journal_of(owner))


def _why(error: BaseException) -> str:
    """Return who was given up, and for what in the end."""
    cause: BaseException = error
    while isinstance(cause, Escalated):
        cause = cause.error
    return f"{error}, last {error_text(cause)}"


def _is_quiet(fact: Fact) -> bool:
    """Tell what the ledger holds and the screen does not show."""
    is_hold = isinstance(fact, SignalGenerated) and fact.signal.type is SignalType.HOLD
    return is_hold or isinstance(fact, PriceUpdated)


async def _keep_alive(stuck_s: float) -> None:
    """End a process whose event loop does not turn: a strategy that never returns.

    Every thread's traceback goes to stderr; whoever runs Shoal starts it again.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(stuck_s, exit=True)
            await trio.sleep(stuck_s / PETS)
    finally:
        faulthandler.cancel_dump_traceback_later()
