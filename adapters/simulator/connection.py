"""The door: looks at what a connection begins with, and serves it by its kind."""

from __future__ import annotations

from typing import Final, cast

import msgspec
import trio
import trio.abc

from adapters.simulator.dialect import Opened, Visit
from adapters.simulator.faults import BadFaults, Connection, read_fault
from adapters.simulator.http_server import HttpAnswer, HttpRequest, serve_http
from adapters.simulator.live import Connections, Live
from adapters.simulator.mischief import Mischief
from adapters.simulator.outbox import Outbox
from adapters.simulator.truth import truth
from adapters.simulator.wire import Wire
from adapters.websocket_server import ServerSocket, serve_websocket

FIRST_REQUEST_S: Final = 60.0
GOODBYE_S: Final = 1.0


class Door:
    """Serves accepted streams, of TCP or any other kind, until they end."""

    def __init__(
        self,
        opened: Opened,
        connections: Connections,
        mischief: Mischief,
    ) -> None:
        self._exchange = opened.dialect.exchange
        self._doors = opened.doors
        self._refuse = opened.refuse
        self._connections = connections
        self._mischief = mischief
        self._limits = self._exchange.config.limits

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one connection; its client's faults end it and nothing else."""
        live = Live(Wire(stream), trio.CancelScope())
        self._connections.add(live)
        try:
            with live.scope:
                await self._serve(live, _address(stream))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self._connections.remove(live)
            with trio.move_on_after(GOODBYE_S, shield=True):
                await trio.aclose_forcefully(stream)

    async def _serve(self, live: Live, address: str) -> None:
        head = b""
        with trio.move_on_after(FIRST_REQUEST_S):
            head = await live.wire.peek_head()
        is_more = bool(head)
        while is_more:
            live.kind = kind = self._kind_of(head)
            exchange = self._exchange
            if kind != "rest":
                exchange.limits.connect(address, exchange.now_ms())
            if exchange.faults.strike("storm", kind):
                return
            if kind != "rest":
                await self._welcome(live, Visit(kind, _path_of(head), address))
                return
            is_more = await serve_http(
                live.wire, self._respond, address, lambda it: self._kind_of(it) == "rest"
            )
            head = await live.wire.peek_head() if is_more else b""

    def _kind_of(self, head: bytes) -> Connection:
        """Return what a client begins with this head; an unknown path is a 404 of REST."""
        is_upgrade = b"upgrade: websocket" in head.lower()
        kind = self._doors.kind_of(_path_of(head)) if is_upgrade else None
        return kind or "rest"

    async def _welcome(self, live: Live, visit: Visit) -> None:
        """Serve a WebSocket, unless the venue answers its handshake with a refusal."""
        answer = None if self._refuse is None else self._refuse(visit)
        if answer is None:
            await self._serve_socket(live, visit)
            return

        async def refuse(_: HttpRequest) -> HttpAnswer:
            await trio.lowlevel.checkpoint()
            return answer

        await serve_http(live.wire, refuse, visit.address, lambda _: True)

    async def _serve_socket(self, live: Live, visit: Visit) -> None:
        outbox = Outbox(visit.kind, self._exchange.faults, self._limits.queue_frames)
        outbox.scope = live.scope
        live.outbox = outbox

        async def serve(socket: ServerSocket) -> None:
            with trio.move_on_after(self._doors.connection_s):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(outbox.write_to, socket)
                    if self._doors.is_pinging:
                        nursery.start_soon(self._keep_alive, socket, live)
                    live.session = self._doors.session(visit, outbox, nursery)
                    await live.session.serve(socket)
                    nursery.cancel_scope.cancel()

        await serve_websocket(live.wire, serve)

    async def _keep_alive(self, socket: ServerSocket, live: Live) -> None:
        """Ping as the venue does; a client that never answers is cut."""
        while True:
            await trio.sleep(self._limits.ping_s)
            with trio.move_on_after(self._limits.pong_s) as waiting:
                await socket.ping()
            if waiting.cancelled_caught:
                live.scope.cancel()

    async def _respond(self, request: HttpRequest) -> HttpAnswer | None:
        if not request.path.startswith("/simulator/"):
            return await self._doors.respond(request)
        await trio.lowlevel.checkpoint()
        if (request.method, request.path) == ("GET", "/simulator/truth"):
            return HttpAnswer(200, msgspec.json.encode(truth(self._exchange)))
        if (request.method, request.path) == ("POST", "/simulator/faults"):
            return self._inject(request.body)
        return HttpAnswer(404, b"{}")

    def _inject(self, body: bytes) -> HttpAnswer:
        try:
            self._mischief.inject(read_fault(body))
        except BadFaults as error:
            return HttpAnswer(400, msgspec.json.encode({"error": str(error)}))
        return HttpAnswer(200, b"{}")


def _path_of(head: bytes) -> str:
    target = head.split(b"\r\n", 1)[0].split(b" ")[1:2]
    return target[0].decode("latin-1") if target else ""


def _address(stream: trio.abc.Stream) -> str:
    inner: object = stream
    if isinstance(stream, trio.SSLStream):
        inner = cast("trio.SSLStream[trio.abc.Stream]", stream).transport_stream
    if isinstance(inner, trio.SocketStream):
        try:
            return str(inner.socket.getpeername()[0])
        except OSError:
            return "gone"
    return "memory"
