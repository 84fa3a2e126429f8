"""The simulator as a task: listens, serves, lets the market move and things go wrong.

Survives every fault of its clients. What it remembers (the exchange) survives its own
end: running it again goes on with the same books, accounts and port.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio
import trio.abc

from adapters.simulator.clock import SimulatorClock, wall_clock
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.connection import Door
from adapters.simulator.dialect import Dialect, Opened, SimulatorEndpoints
from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Fault
from adapters.simulator.live import Connections
from adapters.simulator.mischief import Mischief
from adapters.simulator.past import DrawPast, draw_past
from adapters.simulator.replay import Replay, load_recordings
from adapters.simulator.truth import truth
from adapters.simulator.venues import VENUES

BEAT_MS = 100
BEHIND_S = 1.0  # a market further behind skips instead of hurrying

Listeners = Sequence[trio.abc.Listener[Any]]


class Simulator:
    """One simulated exchange that speaks one venue's dialect."""

    def __init__(
        self,
        config: SimulatorConfig,
        *,
        seed: int = 1,
        clock: Callable[[], SimulatorClock] = wall_clock,
        tls: ssl.SSLContext | None = None,
        open_listeners: Callable[[], Awaitable[Listeners]] | None = None,
        draw_past: DrawPast = draw_past,
    ) -> None:
        """Prepare; nothing happens before `run`. `clock` is called inside Trio."""
        self.config = config
        self.connections = Connections()
        self._seed = seed
        self._clock = clock
        self._tls = tls
        self._open_listeners = open_listeners or self._open_tcp
        self._port = config.port
        self._draw_past = draw_past
        self._venue = VENUES[config.dialect]
        self._opened: Opened | None = None
        self._replay: Replay | None = None
        self._mischief: Mischief | None = None

    @property
    def dialect(self) -> Dialect:
        """Return the venue; it opens with the first run."""
        return self._open().dialect

    @property
    def exchange(self) -> Exchange:
        return self.dialect.exchange

    @property
    def endpoints(self) -> SimulatorEndpoints:
        """Return the addresses; the port is known while it runs."""
        secure, place = "s" if self._tls else "", f"{self.config.host}:{self._port}"
        return SimulatorEndpoints(*self._venue.endpoints(secure, place), self._port)

    @property
    def replay_over(self) -> trio.Event:
        """Return what is set once every recorded session was played to its end."""
        if self._replay is None:
            raise RuntimeError("nothing is replayed")
        return self._replay.is_over

    def truth(self) -> dict[str, object]:
        """Return what really happened, for tests."""
        return truth(self.exchange)

    def add_key(self, key: ApiKey) -> None:
        """Let a new account trade."""
        self.exchange.add_key(key)

    def inject(self, fault: Fault) -> None:
        """Let something go wrong now; only while it runs."""
        if self._mischief is None:
            raise RuntimeError("the simulator does not run")
        self._mischief.inject(fault)

    async def run(
        self, *, task_status: trio.TaskStatus[SimulatorEndpoints] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until cancelled. Ready once the port is open.

        Raises:
          OSError: the port is taken.
        """
        opened = self._open()
        dialect = opened.dialect
        async with trio.open_nursery() as nursery:
            self._mischief = Mischief(dialect.exchange, self.connections, nursery)
            door = Door(opened, self.connections, self._mischief)
            try:
                await nursery.start(self._listen, door, self._mischief, nursery)
                if self._replay is None:
                    nursery.start_soon(self._run_market, dialect)
                    nursery.start_soon(self._run_beat, dialect)
                else:
                    nursery.start_soon(self._replay.run)
                for fault in self.config.faults:
                    nursery.start_soon(self._mischief.follow, fault)
                task_status.started(self.endpoints)
                await trio.sleep_forever()
            finally:
                self._mischief = None

    def _open(self) -> Opened:
        if self._opened is None:
            recordings = load_recordings(self.config, self._venue)
            exchange = Exchange(
                recordings.config,
                self._seed,
                self._clock(),
                recordings.starts_ms,
                self._draw_past,
            )
            self._opened = self._venue.open(exchange)
            if recordings.sessions and self._opened.player is not None:
                player = self._opened.player(recordings.sessions)
                self._replay = Replay(player, recordings.sessions, self.config)
        return self._opened

    async def _listen(
        self,
        door: Door,
        mischief: Mischief,
        nursery: trio.Nursery,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Keep the port open, but for the times when connections are to be refused."""
        is_first = True
        while True:
            listeners = list(await self._open_listeners())
            if is_first:
                is_first = False
                task_status.started()
            with mischief.listening():
                await trio.serve_listeners(
                    door.serve_stream, listeners, handler_nursery=nursery
                )
            await mischief.wait_reopened()

    async def _open_tcp(self) -> Listeners:
        listeners = await trio.open_tcp_listeners(self._port, host=self.config.host)
        self._port = listeners[0].socket.getsockname()[1]
        if self._tls is None:
            return listeners
        return [trio.SSLListener(it, self._tls, https_compatible=True) for it in listeners]

    async def _run_market(self, dialect: Dialect) -> None:
        dt_s = 1 / self.config.ticks_per_s
        next_s = trio.current_time()
        while True:
            next_s = max(next_s + dt_s, trio.current_time() - BEHIND_S)
            await trio.sleep_until(next_s)
            dialect.step(dt_s)

    async def _run_beat(self, dialect: Dialect) -> None:
        """Beat ten times a second while somebody reads what comes so often, else once."""
        clock = dialect.exchange.clock
        while True:
            beats = dialect.beats_until_due(clock.now_ms() // BEAT_MS)
            number = clock.now_ms() // BEAT_MS + beats
            with trio.move_on_at(clock.unix_s(number * BEAT_MS)) as slept:
                await dialect.hurried.wait()
            if slept.cancelled_caught:
                dialect.beat(clock.now_ms(), number)
