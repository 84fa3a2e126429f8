"""Open streams to the world: TCP, TLS, and one that notes when it last heard something."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from functools import cache

import trio
import trio.abc

Dial = Callable[[str, int, bool], Awaitable[trio.abc.Stream]]


@cache
def tls() -> ssl.SSLContext:
    """Return the one TLS context: certificates verified, at least TLS 1.2 (S-9)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def dial(host: str, port: int, is_secure: bool) -> trio.abc.Stream:
    """Open a TCP stream, inside TLS where `is_secure`."""
    tcp = await trio.open_tcp_stream(host, port)
    if not is_secure:
        return tcp
    stream = trio.SSLStream(tcp, tls(), server_hostname=host, https_compatible=True)
    try:
        await stream.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(tcp)
        raise
    return stream


class WatchedStream(trio.abc.Stream):
    """A stream that notes when it last heard something, and tells when it ends."""

    def __init__(self, inner: trio.abc.Stream) -> None:
        self.inner = inner
        self.heard_s = trio.current_time()
        self.on_end: Callable[[], None] | None = None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            data = await self.inner.receive_some(max_bytes)
        except trio.BrokenResourceError:
            self._ended()
            raise
        if data:
            self.heard_s = trio.current_time()
        else:
            self._ended()
        return data

    async def aclose(self) -> None:
        self._ended()
        await self.inner.aclose()

    def _ended(self) -> None:
        if self.on_end is not None:
            self.on_end()
