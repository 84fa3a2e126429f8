"""Where each exchange lives, and which hosts may be given a key (S-9).

A new exchange is one entry here. Sources: WIRE 2.1, 3.1, 3.10, 3.12, 4.1, 4.13; SEED
"Exchange WebSocket Endpoints".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

_URL = re.compile(
    r"(?P<scheme>wss?|https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])"
    r"(?P<port>:[0-9]{1,5})?(?P<path>/[A-Za-z0-9._~/-]*)?"
)


@attrs.frozen
class Endpoints:
    """The addresses used where none is given, and the hosts that are the exchange's own."""

    url: str
    rest_url: str
    ws_api_url: str
    hosts: frozenset[str]
    trading_rest_url: str = ""  # where orders and balances are not at `rest_url`
    account_keys: frozenset[str] = frozenset()  # that only its accounts have
    maker_fee_percent: str = "0"  # of its smallest customers
    taker_fee_percent: str = "0"


ENDPOINTS: Mapping[str, Endpoints] = {
    "binance": Endpoints(
        url="wss://stream.binance.com:9443/ws",
        rest_url="https://api.binance.com",
        ws_api_url="wss://ws-api.binance.com:443/ws-api/v3",
        maker_fee_percent="0.1",
        taker_fee_percent="0.1",
        hosts=frozenset(
            {
                "api.binance.com",
                "api-gcp.binance.com",
                "api1.binance.com",
                "api2.binance.com",
                "api3.binance.com",
                "api4.binance.com",
                "data-api.binance.vision",
                "stream.binance.com",
                "data-stream.binance.vision",
                "ws-api.binance.com",
                "testnet.binance.vision",
                "stream.testnet.binance.vision",
                "ws-api.testnet.binance.vision",
                "demo-api.binance.com",
                "demo-stream.binance.com",
                "demo-ws-api.binance.com",
            }
        ),
    ),
    "coinbase": Endpoints(
        url="wss://ws-feed.exchange.coinbase.com",
        rest_url="https://api.exchange.coinbase.com",
        ws_api_url="wss://advanced-trade-ws-user.coinbase.com",
        trading_rest_url="https://api.coinbase.com",
        account_keys=frozenset({"passphrase"}),
        maker_fee_percent="0.4",
        taker_fee_percent="0.6",
        hosts=frozenset(
            {
                "ws-feed.exchange.coinbase.com",
                "ws-direct.exchange.coinbase.com",
                "api.exchange.coinbase.com",
                "api.coinbase.com",
                "advanced-trade-ws.coinbase.com",
                "advanced-trade-ws-user.coinbase.com",
                "api-us.dma.prime.coinbase.com",
                "ws-us.dma.prime.coinbase.com",
                "api-public.sandbox.exchange.coinbase.com",
                "ws-feed-public.sandbox.exchange.coinbase.com",
                "ws-direct.sandbox.exchange.coinbase.com",
                "api-sandbox.coinbase.com",
            }
        ),
    ),
    "kraken": Endpoints(
        url="wss://ws.kraken.com/v2",
        rest_url="https://api.kraken.com",
        ws_api_url="wss://ws-auth.kraken.com/v2",
        account_keys=frozenset({"dead_man_s"}),
        maker_fee_percent="0.25",
        taker_fee_percent="0.4",
        hosts=frozenset(
            {
                "api.kraken.com",
                "ws.kraken.com",
                "ws-auth.kraken.com",
                "beta-ws.kraken.com",
                "beta-ws-auth.kraken.com",
            }
        ),
    ),
}


def host_of(url: str) -> str | None:
    """Return the host of an address that may be used, None for any other.

    Plain ws:// and http:// are for this machine only; names, passwords, queries and
    fragments are no part of an address here.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return None
    host = match["host"]
    is_plain = match["scheme"] in {"ws", "http"}
    is_port_real = match["port"] is None or 0 < int(match["port"][1:]) < 65536
    return host if is_port_real and (not is_plain or host in LOOPBACK) else None


def place_of(exchange: str, url: str) -> str:
    """Return one name for all addresses of one place, so that one lock keeps them all.

    "" is the exchange itself, whichever of its hosts is meant.
    """
    match = _URL.fullmatch(url)
    if match is None or match["host"] in ENDPOINTS[exchange].hosts:
        return ""
    host = "loopback" if match["host"] in LOOPBACK else match["host"]
    return f"{host}{match['port'] or ''}"
