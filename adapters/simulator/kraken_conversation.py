"""How a client and Kraken talk on a WebSocket: requests, answers, heartbeats, silence.

Source: "Spot WebSocket Introduction", "Heartbeat", "Ping", 2026-05-27.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import trio

from adapters.simulator import kraken_frames as frames
from adapters.simulator.exchange import Exchange
from adapters.simulator.kraken_faults import TOO_FAST_MESSAGES
from adapters.simulator.kraken_frames import Body
from adapters.simulator.kraken_limits import KrakenLimits
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket, frame

HEARTBEAT_S: Final = 1.0
GOING_AWAY: Final = 1001
_HEARTBEAT: Final = frame(frames.HEARTBEAT)


@attrs.frozen
class Asked:
    """One request of a client."""

    method: str
    params: Mapping[str, Any]
    req_id: int | None
    time_in: str


class Malformed(Exception):
    """What the client says is no request."""


class Conversation:
    """Hears one client out and answers it; what is meant is somebody else's business."""

    def __init__(
        self,
        exchange: Exchange,
        limits: KrakenLimits,
        outbox: Outbox,
        nursery: trio.Nursery,
    ) -> None:
        self.outbox = outbox
        self._exchange = exchange
        self._limits = limits
        self._nursery = nursery
        self._heard_s: list[float] = []  # of the last second
        connection_id = exchange.chance.randrange(2**53, 2**64)
        self._say(frames.status("online", connection_id))

    def shutdown_notice(self, now_ms: int) -> bytes:
        del now_ms
        return frame(frames.encode(frames.status("maintenance", None)))

    async def serve(
        self,
        socket: ServerSocket,
        obey: Callable[[Asked], None],
        is_subscribed: Callable[[], bool],
    ) -> None:
        """Pass on what the client asks; close when it wants nothing for a minute."""
        self._nursery.start_soon(self._beat, is_subscribed)
        while True:
            text: str | bytes | None = None
            with trio.move_on_after(self._limits.idle_s):
                text = await socket.receive()
            if text is not None:
                self._hear(text, obey)
            elif not is_subscribed():
                await socket.aclose(GOING_AWAY, "Connection idle")
                return

    def _hear(self, text: str | bytes, obey: Callable[[Asked], None]) -> None:
        try:
            asked = self._read(text)
        except Malformed:
            nobody = Asked("error", {}, None, self._now())
            self.refuse(nobody, "Malformed request")
            return
        if self._is_too_fast():
            self.refuse(asked, TOO_FAST_MESSAGES)
        elif asked.method == "ping":
            self._pong(asked)
        else:
            obey(asked)

    def acknowledge(self, asked: Asked, result: Body | None, **more: object) -> bytes:
        """Return the frame of a yes."""
        body: Body = {"method": asked.method, "success": True, **more}
        if result is not None:
            body["result"] = result
        return self._framed(asked, body)

    def refusal(self, asked: Asked, error: str, **more: object) -> bytes:
        """Return the frame of a no."""
        body: Body = {"error": error, "method": asked.method, "success": False, **more}
        return self._framed(asked, body)

    def answer(self, wire: bytes) -> None:
        self.outbox.answer(wire)

    def refuse(self, asked: Asked, error: str, **more: object) -> None:
        self.answer(self.refusal(asked, error, **more))

    def answer_later(self, wire: bytes, delay_s: float) -> None:
        self._nursery.start_soon(self._answer_later, wire, delay_s)

    async def _answer_later(self, wire: bytes, delay_s: float) -> None:
        await trio.sleep(delay_s)
        self.answer(wire)

    def _framed(self, asked: Asked, body: Body) -> bytes:
        if asked.req_id is not None:
            body["req_id"] = asked.req_id
        return frame(
            frames.encode(body | {"time_in": asked.time_in, "time_out": self._now()})
        )

    def _pong(self, asked: Asked) -> None:
        if asked.params:
            self.refuse(asked, "Unsupported field: 'params' for the given msg type: ping")
            return
        body: Body = {"method": "pong"}
        self.answer(self._framed(asked, body))

    def _say(self, body: Body) -> None:
        self.outbox.post(frame(frames.encode(body)))

    async def _beat(self, is_subscribed: Callable[[], bool]) -> None:
        while True:
            await trio.sleep(HEARTBEAT_S)
            if is_subscribed():
                self.outbox.post(_HEARTBEAT)

    def _now(self) -> str:
        return frames.stamp(self._exchange.told_ms())

    def _is_too_fast(self) -> bool:
        now_s = trio.current_time()
        self._heard_s = [at_s for at_s in self._heard_s if now_s - at_s < 1.0]
        self._heard_s.append(now_s)
        return len(self._heard_s) > self._limits.messages_1s

    def _read(self, text: str | bytes) -> Asked:
        time_in = self._now()
        try:
            found: Any = json.loads(text, parse_float=Decimal)
        except ValueError as error:
            raise Malformed from error
        if not isinstance(found, dict):
            raise Malformed
        method: Any = found.get("method")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- JSON
        params: Any = found.get("params", {})  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- JSON
        req_id: Any = found.get("req_id")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- JSON
        if not isinstance(method, str) or not isinstance(params, dict):
            raise Malformed
        is_id = req_id is None or (isinstance(req_id, int) and not isinstance(req_id, bool))
        if not is_id:
            raise Malformed
        return Asked(method, params, req_id, time_in)  # pyright: ignore[reportUnknownArgumentType] -- keys are texts
