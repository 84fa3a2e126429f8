"""A simulated network: streams in memory with latency, loss, resets and black holes.

The engine dials by `Network.dialer` or, under httpx2's own pool, by `network_http`; the
simulated exchange listens by `Network.open_listeners`. What goes wrong is drawn from the
seed while a fault of the schedule is active.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from functools import partial
from typing import Final, Literal

import attrs
import trio
import trio.abc

from tests.simulation.loop import call_at
from tests.simulation.trace import Trace, short

WINDOW: Final = 256 * 1024  # bytes that may be unread before a sender waits
PIECE_CHANCE: Final = 0.02  # that a chunk arrives in two pieces
LATENCY_S: Final = (0.0005, 0.02)

NetKind = Literal[
    "reset_before",  # the connection is reset, what was sent did not arrive
    "reset_after",  # what was sent arrived, the connection is reset before an answer
    "lost_answer",  # what the venue sent did not arrive, the connection is reset
    "black_hole",  # no byte passes any more in either direction, nobody is told
    "slow",  # everything takes up to `delay_s` longer
    "cut",  # nothing passes until the fault is over; then TCP delivers it
    "refuse",  # nobody can connect
    "hang",  # connecting takes for ever
]


@attrs.frozen
class NetFault:
    """A stretch of bad weather. `connection` "" is all of them."""

    kind: NetKind
    at_s: float
    duration_s: float
    chance: float = 1.0  # for each chunk, or each dial
    connection: str = ""  # "stream", "ws_api", "rest"
    delay_s: float = 2.0


@attrs.define(eq=False)
class Owner:
    """One process as the kernel sees it: when it is dead, nothing of it leaves."""

    name: str
    is_dead: bool = False


class Pipe:
    """One direction of one connection."""

    def __init__(self) -> None:
        self.arrived: deque[bytes] = deque()
        self.unread = 0  # bytes that were sent and not taken
        self.is_broken = False  # reset: whoever reads or writes is told
        self.is_silent = False  # a black hole
        self.is_ending = False
        self.is_over = False  # the goodbye has arrived
        self.last_s = 0.0  # TCP keeps the order
        self._reader: trio.lowlevel.Task | None = None
        self._writer: trio.lowlevel.Task | None = None

    def put(self, data: bytes, at_s: float) -> None:
        self.unread += len(data)
        if not self.is_silent:
            self.last_s = max(self.last_s, at_s)
            call_at(self.last_s, partial(self._arrive, data))

    def end(self, at_s: float) -> None:
        if not self.is_ending and not self.is_silent:
            self.is_ending = True
            call_at(max(self.last_s, at_s), self._end)

    def break_(self) -> None:
        self.is_broken = True
        self.wake()

    @property
    def is_readable(self) -> bool:
        return bool(self.arrived) or self.is_broken or self.is_over

    def take(self, max_bytes: int | None) -> bytes:
        """Return what has arrived first, or b"" when nothing will."""
        if not self.arrived:
            return b""
        data = self.arrived.popleft()
        if max_bytes is not None and len(data) > max_bytes:
            self.arrived.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        self.unread -= len(data)
        self._writer = _resume(self._writer)
        return data

    def wake(self) -> None:
        """Let both ends look again."""
        self._reader = _resume(self._reader)
        self._writer = _resume(self._writer)

    async def wait_readable(self) -> None:
        def give_up(_: object) -> trio.lowlevel.Abort:
            self._reader = None
            return trio.lowlevel.Abort.SUCCEEDED

        assert self._reader is None, "two tasks read one stream"
        self._reader = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(give_up)

    async def wait_room(self) -> None:
        def give_up(_: object) -> trio.lowlevel.Abort:
            self._writer = None
            return trio.lowlevel.Abort.SUCCEEDED

        assert self._writer is None, "two tasks write to one stream"
        self._writer = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(give_up)

    def _arrive(self, data: bytes) -> None:
        self.arrived.append(data)
        self._reader = _resume(self._reader)

    def _end(self) -> None:
        self.is_over = True
        self._reader = _resume(self._reader)


def _resume(task: trio.lowlevel.Task | None) -> None:
    if task is not None:
        trio.lowlevel.reschedule(task)


class SimStream(trio.abc.Stream):
    """One end of a connection."""

    def __init__(
        self, network: Network, owner: Owner, number: int, sends: Pipe, receives: Pipe
    ) -> None:
        self.network = network
        self.owner = owner
        self.number = number
        self.sends = sends
        self.receives = receives
        self.kind = ""
        self.is_client = owner is not network.venue
        self.is_closed = False
        self.peer: SimStream | None = None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        if self.owner.is_dead or self.sends.is_broken:
            raise trio.BrokenResourceError("the connection was reset")
        if data:
            self.network.carry(self, bytes(data))
        while self.sends.unread > WINDOW and not self.sends.is_broken:
            await self.sends.wait_room()
            self._check()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        self._check()
        receives = self.receives
        if receives.is_readable:
            await trio.lowlevel.checkpoint()
        else:
            await receives.wait_readable()
            self._check()
        if receives.is_broken or self.owner.is_dead:
            raise trio.BrokenResourceError("the connection was reset")
        return receives.take(max_bytes)

    async def aclose(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.receives.wake()
            self.sends.wake()
            self.network.close(self)
        await trio.lowlevel.checkpoint()

    def is_readable(self) -> bool:
        return self.is_closed or self.receives.is_readable

    def _check(self) -> None:
        if self.is_closed:
            raise trio.ClosedResourceError("this end was closed")


class SimListener(trio.abc.Listener[SimStream]):
    """The venue's open port."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._send, self._receive = trio.open_memory_channel[SimStream](1024)

    def offer(self, stream: SimStream) -> None:
        self._send.send_nowait(stream)

    async def accept(self) -> SimStream:
        return await self._receive.receive()

    async def aclose(self) -> None:
        if self._network.listener is self:
            self._network.listener = None
        self._send.close()
        self._receive.close()
        await trio.lowlevel.checkpoint()


class Network:
    """Everything between the engine and the venue."""

    def __init__(self, seed: int, trace: Trace) -> None:
        self.trace = trace
        self.venue = Owner("venue")
        self.listener: SimListener | None = None
        self.weather: list[tuple[NetFault, float]] = []  # with when it ends
        self.struck: Counter[str] = Counter()
        self._chance = random.Random(f"{seed}/network")
        self._number = 0
        self._clients: dict[int, SimStream] = {}

    async def open_listeners(self) -> Sequence[SimListener]:
        """Open the venue's port."""
        await trio.lowlevel.checkpoint()
        self.listener = SimListener(self)
        return [self.listener]

    async def connect(self, owner: Owner) -> SimStream:
        """Open a connection of `owner` to the venue.

        Raises:
          OSError: refused.
        """
        await trio.sleep(self._latency())
        if self._strikes("hang", ""):
            await trio.sleep_forever()
        cut = self._active("cut", "")
        if cut is not None:
            await trio.sleep_until(cut[1])
        if owner.is_dead or self.listener is None or self._strikes("refuse", ""):
            raise ConnectionRefusedError("nobody listens there")
        self._number += 1
        there, back = Pipe(), Pipe()
        client = SimStream(self, owner, self._number, there, back)
        server = SimStream(self, self.venue, self._number, back, there)
        client.peer, server.peer = server, client
        self._clients[self._number] = client
        self.trace.note(f"net #{client.number} {owner.name} connected")
        self.listener.offer(server)
        return client

    def carry(self, sender: SimStream, data: bytes) -> None:
        """Bring `data` to the other side, or do to it what the weather does."""
        if sender.is_client and not sender.kind:
            sender.kind = _kind(data)
            if sender.peer is not None:
                sender.peer.kind = sender.kind
        arrow = ">" if sender.is_client else "<"
        self.trace.note(f"net #{sender.number} {sender.kind} {arrow} {short(data)}")
        kind = sender.kind
        if self._strikes("black_hole", kind):
            self._silence(sender)
        if sender.is_client and self._strikes("reset_before", kind):
            self.reset(sender)
        elif sender.is_client and self._strikes("reset_after", kind):
            sender.sends.put(data, self._arrival(kind))
            sender.sends.end(sender.sends.last_s)
            sender.receives.break_()
        elif not sender.is_client and self._strikes("lost_answer", kind):
            self.reset(sender)
        else:
            for piece in self._pieces(data):
                sender.sends.put(piece, self._arrival(kind))

    def reset(self, stream: SimStream) -> None:
        """Break both directions; what had not arrived never will."""
        self.trace.note(f"net #{stream.number} {stream.kind} reset")
        stream.sends.break_()
        stream.receives.break_()
        self._clients.pop(stream.number, None)

    def close(self, stream: SimStream) -> None:
        """Let the other side hear that this one is done."""
        if stream.is_client:
            self._clients.pop(stream.number, None)
        stream.sends.end(trio.current_time() + self._latency())

    def kill(self, owner: Owner) -> None:
        """Do what a kernel does for a process that died: end its connections."""
        owner.is_dead = True
        for stream in [each for each in self._clients.values() if each.owner is owner]:
            self.reset(stream)

    def clients(self) -> list[SimStream]:
        """Return the engine's connections, oldest first."""
        return list(self._clients.values())

    def open_clients(self, owner: Owner | None = None) -> int:
        """Return how many connections the engine's side, or one process, has not closed."""
        return sum(owner in {None, each.owner} for each in self._clients.values())

    def begin(self, fault: NetFault) -> None:
        """Let the weather change; it ends by itself."""
        self.weather.append((fault, trio.current_time() + fault.duration_s))

    def clear(self) -> None:
        """End every fault; connections in a black hole stay there."""
        self.weather.clear()

    def _silence(self, stream: SimStream) -> None:
        self.trace.note(f"net #{stream.number} {stream.kind} black hole")
        stream.sends.is_silent = stream.receives.is_silent = True

    def _pieces(self, data: bytes) -> list[bytes]:
        if len(data) < 2 or self._chance.random() > PIECE_CHANCE:
            return [data]
        cut = self._chance.randrange(1, len(data))
        return [data[:cut], data[cut:]]

    def _arrival(self, kind: str) -> float:
        now_s = trio.current_time()
        cut = self._active("cut", kind)
        if cut is not None:
            now_s = cut[1]
        slow = self._active("slow", kind)
        if slow is not None and self._chance.random() < slow[0].chance:
            now_s += self._chance.random() * slow[0].delay_s
            self.struck["slow"] += 1
        return now_s + self._latency()

    def _latency(self) -> float:
        return self._chance.uniform(*LATENCY_S)

    def _strikes(self, kind: NetKind, connection: str) -> bool:
        found = self._active(kind, connection)
        if found is None or self._chance.random() >= found[0].chance:
            return False
        self.struck[kind] += 1
        return True

    def _active(self, kind: NetKind, connection: str) -> tuple[NetFault, float] | None:
        if not self.weather:
            return None
        now_s = trio.current_time()
        self.weather = [each for each in self.weather if each[1] > now_s]
        for fault, ends_s in self.weather:
            if fault.kind == kind and (
                not fault.connection or fault.connection == connection
            ):
                return fault, ends_s
        return None


def _kind(head: bytes) -> str:
    if head.startswith(b"GET /stream"):
        return "stream"
    return "ws_api" if head.startswith(b"GET /ws-api") else "rest"
