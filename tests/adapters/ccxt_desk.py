"""The unmodified ccxt client beside a simulator: asyncio in a thread of its own.

ccxt knows asyncio only, so each client lives from `asyncio.run` to its end in one worker
thread, and Trio waits for the thread. Every address that a test does not name leads to a
closed port of this machine: no client of a test can reach a real exchange.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import trio

from adapters.simulator.config import ApiKey, DialectName, Listing, SimulatorConfig

PATIENCE_S = 30.0
LISTENING_S = 0.5  # until a subscription is in place
NOWHERE = "http://127.0.0.1:9"
SYMBOL = "BTC/USDT"
# A market that stands still: bid 60000.00, ask 60000.01, and somebody trades all the time.
STILL = Listing(SYMBOL, Decimal("60000.00"), volatility=0.0, trade_chance=1.0)
T = TypeVar("T")
ccxt: Any = importlib.import_module("ccxt")
pro: Any = importlib.import_module("ccxt.pro")


class Where(Protocol):
    """Where a simulator listens, in this process or in another."""

    @property
    def url(self) -> str: ...

    @property
    def rest_url(self) -> str: ...

    @property
    def ws_api_url(self) -> str: ...


def config_of(dialect: DialectName, *keys: ApiKey) -> SimulatorConfig:
    """Return a venue with one symbol whose price does not move."""
    return SimulatorConfig(dialect=dialect, listings=(STILL,), keys=keys)


def client_of(
    name: str,
    key: ApiKey,
    urls: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    **more: Any,
) -> Any:
    """Return a ccxt.pro client; `urls` has the shape of ccxt's `urls["api"]`."""
    settings = {
        "apiKey": key.key,
        "secret": key.secret,
        "enableRateLimit": False,
        "options": dict(options or {}),
        **more,
    }
    client = getattr(pro, name)(settings)
    client.urls["api"] = _pointed(client.urls["api"], urls)
    return client


def _pointed(known: Mapping[str, Any], urls: Mapping[str, Any]) -> dict[str, Any]:
    pointed: dict[str, Any] = {}
    for name, address in known.items():
        given = urls.get(name)
        if isinstance(address, dict):
            pointed[name] = _pointed(address, given or {})  # pyright: ignore[reportUnknownArgumentType] -- ccxt has no types
        else:
            pointed[name] = given or NOWHERE
    return pointed


async def whole_life(make: Callable[[], Any], work: Callable[[Any], Awaitable[T]]) -> T:
    """Make a ccxt client, let it work, and close it; to be run by asyncio."""
    async with AsyncExitStack() as stack:
        client = make()
        stack.push_async_callback(client.close)
        return await asyncio.wait_for(work(client), PATIENCE_S)


async def use(make: Callable[[], Any], work: Callable[[Any], Awaitable[T]]) -> T:
    """Let a ccxt client work in a thread; what it raises comes back."""
    return await trio.to_thread.run_sync(lambda: asyncio.run(whole_life(make, work)))


async def while_watching(
    watch: Callable[[], Awaitable[Any]], act: Callable[[], Awaitable[Any]]
) -> Any:
    """Return what `watch` hears of what `act` does, once it listens."""
    heard = asyncio.ensure_future(watch())
    await asyncio.sleep(LISTENING_S)
    await act()
    return await heard


def kraken(where: Where, key: ApiKey) -> Any:
    """Return ccxt's Kraken, pointed at a simulator."""
    urls = {
        "public": where.rest_url,
        "private": where.rest_url,
        "ws": {
            "private": where.ws_api_url,  # a name for its token, never dialled
            "publicV2": where.url,
            "privateV2": where.ws_api_url,
        },
    }
    return client_of("kraken", key, urls)


def binance(where: Where, key: ApiKey) -> Any:
    """Return ccxt's Binance for spot only, pointed at a simulator.

    ccxt takes a stream for a spot stream when its address has "/stream" in it, as the
    venue's host has.
    """
    rest = f"{where.rest_url}/api/v3"
    host = where.url.removesuffix("/stream")
    urls = {
        "public": rest,
        "private": rest,
        "v1": rest,
        "ws": {"spot": f"{host}/ws/stream", "ws-api": {"spot": where.ws_api_url}},
    }
    options = {
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchMargins": False,
    }
    return client_of("binance", key, urls, options)


def coinbase(where: Where, key: ApiKey) -> Any:
    """Return ccxt's client of the Coinbase API that the key is for, pointed at a simulator.

    A passphrase tells a key of Exchange; any other is Advanced Trade's.
    """
    rest = where.rest_url
    if key.passphrase:
        urls = {"public": rest, "private": rest, "ws": where.url}
        return client_of("coinbaseexchange", key, urls, password=key.passphrase)
    feed = where.url.replace("/ws-feed", "/advanced-trade-ws")
    return client_of("coinbase", key, {"rest": rest, "ws": feed})
