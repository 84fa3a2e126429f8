"""Open streams to the world: TCP, TLS, and one that notes when it last heard something."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Final

import trio
import trio.abc

Dial = Callable[[str, int, bool], Awaitable[trio.abc.Stream]]
CERTIFICATE: Final = "certificate.pem"
PRIVATE_KEY: Final = "key.pem"


class CertificateUnusable(Exception):
    """A certificate or its key cannot be used; one line for people."""


@cache
def tls() -> ssl.SSLContext:
    """Return the one TLS context: certificates verified, at least TLS 1.2 (S-9)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_trusting(authority: Path) -> ssl.SSLContext:
    """Return a TLS context as strict as `tls()` that trusts the one CA in a PEM file.

    Raises:
      CertificateUnusable: one line for people.
    """
    try:
        context = ssl.create_default_context(cafile=str(authority))
    except OSError as error:
        raise CertificateUnusable(f"{authority}: {_why(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_serving(folder: Path) -> ssl.SSLContext:
    """Return the context of a server whose certificate and key are in `folder`.

    Raises:
      CertificateUnusable: one line for people.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = folder / CERTIFICATE, folder / PRIVATE_KEY
    for path in (certificate, key):
        if not path.is_file():
            raise CertificateUnusable(f"{path}: there is no such file")
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        text = f"{certificate} and {PRIVATE_KEY}: {_why(error)}"
        raise CertificateUnusable(text) from error
    return context


def certificate_trouble(error: BaseException | None) -> str:
    """Return in words that a certificate was the reason, or "" if none was."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {error.verify_message}"
        error = error.__cause__ or error.__context__
    return ""


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not PEM, or not a pair ({error.reason or 'unreadable'})"
    return error.strerror or str(error)


async def dial(host: str, port: int, is_secure: bool) -> trio.abc.Stream:
    """Open a TCP stream, inside TLS where `is_secure`."""
    return await _dial(host, port, tls() if is_secure else None)


def dial_trusting(context: ssl.SSLContext) -> Dial:
    """Return a dial that verifies certificates by `context`."""

    async def dial(host: str, port: int, is_secure: bool) -> trio.abc.Stream:
        return await _dial(host, port, context if is_secure else None)

    return dial


async def _dial(host: str, port: int, context: ssl.SSLContext | None) -> trio.abc.Stream:
    tcp = await trio.open_tcp_stream(host, port)
    if context is None:
        return tcp
    stream = trio.SSLStream(tcp, context, server_hostname=host, https_compatible=True)
    async with AsyncExitStack() as unless_open:
        unless_open.push_async_callback(trio.aclose_forcefully, tcp)
        await stream.do_handshake()
        unless_open.pop_all()
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
