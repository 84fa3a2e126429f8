"""Send one HTTP request over a kept-alive connection; the only file that knows httpx2.

No retries, no redirects, no proxies from the environment, TLS verified. What went wrong
says whether a byte of the request may have left: `NotSent`, or `ConnectionLost` when
nobody can say what became of it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs
import trio

from adapters.errors import ConnectionLost
from adapters.streams import certificate_trouble, tls

if TYPE_CHECKING:
    import httpx2

BODY_SIZE_MAX: Final = 16 * 2**20
RETIRED_MAX: Final = 4  # pools given up whose requests may still be in flight
REQUESTS_MAX: Final = 16  # in flight; beyond, `wait_s` decides


class NotSent(ConnectionLost):
    """No byte of the request left this machine."""


@attrs.frozen
class HttpTiming:
    """Deadlines of one request, each kept inside the client."""

    connect_s: float = 5.0
    write_s: float = 5.0
    read_s: float = 10.0  # the venue's own limit on handling a request
    wait_s: float = 2.0  # for a free connection
    keep_s: float = 15.0  # an idle connection; the venue must not be first to close it
    total_s: float = 30.0  # against an answer that drips


@attrs.frozen
class HttpAnswer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


OpenTransport = Callable[[bool, HttpTiming], "httpx2.AsyncHTTPTransport"]


def open_transport(is_secure: bool, timing: HttpTiming) -> httpx2.AsyncHTTPTransport:
    """Return a pool of connections over TCP, inside TLS where `is_secure`."""
    return _transport(tls() if is_secure else None, timing)


def transport_trusting(context: ssl.SSLContext) -> OpenTransport:
    """Return what opens pools whose certificates `context` verifies."""
    return lambda is_secure, timing: _transport(context if is_secure else None, timing)


def _transport(
    context: ssl.SSLContext | None, timing: HttpTiming
) -> httpx2.AsyncHTTPTransport:
    import httpx2  # noqa: PLC0415 -- costs 74 ms and 8 MB; a fleet without REST saves them

    return httpx2.AsyncHTTPTransport(
        # A bare client context trusts nobody, and costs no CA store to load.
        verify=context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        http1=True,
        http2=False,
        trust_env=False,
        retries=0,
        limits=httpx2.Limits(
            max_connections=REQUESTS_MAX,
            max_keepalive_connections=4,
            keepalive_expiry=timing.keep_s,
        ),
    )


@attrs.define(eq=False)
class HttpClient:
    """Requests to one origin, "https://api.binance.com"."""

    origin: str
    timing: HttpTiming = attrs.Factory(HttpTiming)
    open_transport: OpenTransport = open_transport
    _transport: httpx2.AsyncHTTPTransport | None = None
    _retired: list[httpx2.AsyncHTTPTransport] = attrs.Factory(
        list["httpx2.AsyncHTTPTransport"]
    )

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        body_size_max: int = BODY_SIZE_MAX,
    ) -> HttpAnswer:
        """Send one request once and return the answer, whatever its status.

        Raises:
          NotSent: no connection could be had.
          ConnectionLost: the request may have left, and there is no readable answer.
        """
        import httpx2  # noqa: PLC0415 -- as above

        transport = await self._opened()
        request = httpx2.Request(
            method,
            self.origin + target,
            headers={"accept-encoding": "identity", **(headers or {})},
            content=body,
            extensions={"timeout": self._deadlines()},
        )
        try:
            with trio.fail_after(self.timing.total_s):
                return await _exchange(transport, request, body_size_max)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotSent(f"could not connect to {self.host}: {_text(error)}") from error
        except httpx2.PoolTimeout as error:
            if self._transport is transport:
                self._retire()  # a pool that gives nothing back is not used again
            raise NotSent(f"no free connection to {self.host}") from error
        except (httpx2.TransportError, httpx2.StreamError, httpx2.DecodingError) as error:
            raise ConnectionLost(f"{method} {self.host}: {_text(error)}") from error
        except trio.TooSlowError as error:
            text = f"no answer within {self.timing.total_s:g} s"
            raise ConnectionLost(f"{method} {self.host}: {text}") from error

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]

    async def aclose(self) -> None:
        """Close idle connections; requests in flight fail."""
        self._retire()
        while self._retired:
            await self._retired.pop().aclose()
        await trio.lowlevel.checkpoint()

    def _retire(self) -> None:
        if self._transport is not None:
            self._retired.append(self._transport)
            self._transport = None

    async def _opened(self) -> httpx2.AsyncHTTPTransport:
        while len(self._retired) > RETIRED_MAX:
            await self._retired.pop(0).aclose()
        await trio.lowlevel.checkpoint()
        if self._transport is None:
            is_secure = self.origin.startswith("https:")
            self._transport = self.open_transport(is_secure, self.timing)
        return self._transport

    def _deadlines(self) -> dict[str, float]:
        timing = self.timing
        return {
            "connect": timing.connect_s,
            "read": timing.read_s,
            "write": timing.write_s,
            "pool": timing.wait_s,
        }


async def _exchange(
    transport: httpx2.AsyncHTTPTransport, request: httpx2.Request, body_size_max: int
) -> HttpAnswer:
    response = await transport.handle_async_request(request)
    try:
        body = await _body(response, body_size_max)
        return HttpAnswer(response.status_code, dict(response.headers), body)
    finally:
        with trio.move_on_after(1, shield=True):
            await response.aclose()


async def _body(response: httpx2.Response, size_max: int) -> bytes:
    """Return the body; one that is too big ends its connection.

    The iteration is never abandoned: its generators would be left to the collector.
    """
    import httpx2  # noqa: PLC0415 -- as above

    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size <= size_max:
                chunks.append(chunk)
            else:
                await response.aclose()
    except (httpx2.TransportError, httpx2.StreamError):
        if size <= size_max:
            raise
    if size > size_max:
        raise ConnectionLost(f"a body of more than {size_max} bytes")
    await trio.lowlevel.checkpoint()
    return b"".join(chunks)


def _text(error: Exception) -> str:
    text = certificate_trouble(error) or f"{type(error).__name__} {error}".strip()
    return text[:200]
