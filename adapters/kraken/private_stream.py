"""One account's private stream: executions and balances, each counted by the venue.

Source: docs.kraken.com, WebSocket v2 "executions", "balances", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import BalancesHeard, PrivateMessage, VenueBalance
from adapters.errors import ConnectionLost, RemoteProtocolError, VenueRefused
from adapters.figures import BadFigure
from adapters.kraken.codec.numbers import ZERO, unix_ms
from adapters.kraken.codec.private import (
    Answer,
    BalancesTold,
    ExecutionsHeard,
    PrivateHeard,
    decode_private,
    encode_request,
)
from adapters.kraken.own_orders import OwnOrders
from adapters.kraken.venue import Venue
from adapters.sockets import Socket

SUBSCRIBED_S: Final = 10.0
EARLY_MAX: Final = 1000  # frames before both channels are acknowledged
PARAMS: Final[tuple[dict[str, object], ...]] = (
    {
        "channel": "executions",
        "snap_orders": True,
        "snap_trades": False,
        "order_status": True,
        "ratecounter": True,
    },
    {"channel": "balances", "snapshot": True},
)


@attrs.define(eq=False)
class KrakenPrivateStream:
    """Implements `PrivateStream`."""

    _socket: Socket
    _venue: Venue
    _own: OwnOrders
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first
    _error: RemoteProtocolError | None = None  # to be told when what came before was
    _sequences: dict[str, int] = attrs.Factory(dict[str, int])  # by channel

    async def receive(self) -> Sequence[PrivateMessage]:
        """Return what the frames say that came together; some say nothing to us.

        Raises:
          ConnectionLost: the connection ended.
          RemoteProtocolError: an update was lost, or could not be read; reconcile.
        """
        while True:
            if self._unread or self._error is not None:
                await trio.lowlevel.checkpoint()
            else:
                self._unread = list(await self._socket.receive_all())[::-1]
            heard = self._hear()
            if heard:
                return heard

    def _hear(self) -> list[PrivateMessage]:
        """Return what was received; a bad frame's error is told by the next call."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        heard: list[PrivateMessage] = []
        while self._unread:
            try:
                heard += self._said_in(self._unread.pop())
            except RemoteProtocolError as bad:
                if not heard:
                    raise
                self._error = bad
                break
        return heard

    def _said_in(self, text: str | bytes) -> list[PrivateMessage]:
        heard = decode_private(text)
        said: list[PrivateMessage] = []
        match heard:
            case ExecutionsHeard():
                for row in heard.rows:
                    try:
                        said += self._own.join(row)
                    except BadFigure as error:
                        self._count("executions", heard.sequence)
                        self._own.missed()  # what came with it
                        raise RemoteProtocolError(str(error)) from error
                self._count_told("executions", heard.sequence)
            case BalancesTold():
                try:
                    said.append(self._balances(heard))
                except BadFigure as error:
                    raise RemoteProtocolError(f"balances: {error}") from error
                self._count_told("balances", heard.sequence)
            case Answer() | None:
                pass
        return said

    def _count_told(self, channel: str, sequence: int) -> None:
        before = self._count(channel, sequence)
        if before is not None and sequence != before + 1:
            self._own.missed()
            lost = f"{channel} jumped from {before} to {sequence}"
            raise RemoteProtocolError(f"updates of the account were lost: {lost}")

    def _count(self, channel: str, sequence: int) -> int | None:
        before = self._sequences.get(channel)
        self._sequences[channel] = sequence
        return before

    def _balances(self, told: BalancesTold) -> BalancesHeard:
        """Return totals with what open orders keep of them, as far as we know."""
        assets = {
            symbol: (each.base_asset, each.quote_asset)
            for symbol, each in self._venue.listing.instruments.items()
        }
        balances: list[VenueBalance] = []
        for asset, total in told.totals:
            locked = min(max(total, ZERO), self._own.held(asset, assets))
            balances.append(VenueBalance(asset, max(total, ZERO) - locked, locked))
        at_ms = unix_ms(told.at) if told.at is not None else self._venue.now_ms()
        return BalancesHeard(tuple(balances), at_ms)


@asynccontextmanager
async def open_private_stream(
    venue: Venue, own: OwnOrders, token: str, learn_tier: Callable[[int], None]
) -> AsyncGenerator[KrakenPrivateStream, None]:
    """Connect and subscribe for the length of the block.

    Raises:
      VenueError: could not connect, or the venue refused a subscription.
    """
    async with venue.socket(venue.endpoints.ws_api_url) as socket:
        for number, params in enumerate(PARAMS):
            whole = {**params, "token": token}
            await socket.send(encode_request(number, "subscribe", whole))
        early = await _subscribed(socket, learn_tier)
        own.missed()  # before; the snapshot tells what open orders have executed
        yield KrakenPrivateStream(socket, venue, own, early[::-1])


async def _subscribed(
    socket: Socket, learn_tier: Callable[[int], None]
) -> list[str | bytes]:
    """Return what came before both channels were acknowledged, oldest first."""
    waiting, early = set(range(len(PARAMS))), list[str | bytes]()
    with trio.move_on_after(SUBSCRIBED_S):
        await trio.lowlevel.checkpoint()
        while waiting and len(early) < EARLY_MAX:
            text = await socket.receive()
            heard: PrivateHeard = decode_private(text)
            if not isinstance(heard, Answer):
                early.append(text)
                continue
            if heard.error:
                raise VenueRefused(heard.error[:80], heard.error)
            learn_tier(heard.acked.maxratecount)
            waiting.discard(-1 if heard.request_id is None else heard.request_id)
    if waiting:
        raise ConnectionLost(f"no answer to the subscription within {SUBSCRIBED_S:g} s")
    return early
