"""The simulated network under httpx2's real connection pool."""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2
import trio

from adapters.http import HttpTiming, OpenTransport, open_transport
from tests.simulation.network import SimStream


def over(connect: Callable[[], Any]) -> OpenTransport:
    """Return what opens the production's own pool, its connections made by `connect`."""

    def open_simulated(is_secure: bool, timing: HttpTiming) -> httpx2.AsyncHTTPTransport:
        transport = open_transport(is_secure, timing)
        pool: Any = transport._pool  # pyright: ignore[reportPrivateUsage] -- httpx2 has no parameter for it
        pool._network_backend = _Backend(connect)
        return transport

    return open_simulated


class _Backend(httpcore2.AsyncNetworkBackend):
    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore2 asks for it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        with _as_httpcore(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            with trio.fail_after(math.inf if timeout is None else timeout):
                return _Stream(await self._connect())

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore2 asks for it
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise OSError("the simulated network has no such sockets")

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _Stream(httpcore2.AsyncNetworkStream):
    def __init__(self, stream: SimStream) -> None:
        self._stream = stream

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore2 asks for it
    ) -> bytes:
        with _as_httpcore(httpcore2.ReadTimeout, httpcore2.ReadError):
            with trio.fail_after(math.inf if timeout is None else timeout):
                return await self._stream.receive_some(max_bytes)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore2 asks for it
    ) -> None:
        with _as_httpcore(httpcore2.WriteTimeout, httpcore2.WriteError):
            with trio.fail_after(math.inf if timeout is None else timeout):
                await self._stream.send_all(buffer)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore2 asks for it
    ) -> httpcore2.AsyncNetworkStream:
        raise OSError("the simulated network has no TLS")

    def get_extra_info(self, info: str) -> Any:
        return self._stream.is_readable() if info == "is_readable" else None


@contextmanager
def _as_httpcore(late: type[Exception], broken: type[Exception]) -> Generator[None]:
    try:
        yield
    except trio.TooSlowError as error:
        raise late(str(error)) from error
    except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise broken(str(error)) from error
