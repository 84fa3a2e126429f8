"""Run a small fleet where the exchanges let one try: their own test environments.

    just testnet            what has keys, for a minute
    just testnet --for 300

Nothing here runs by itself: it needs the network, and keys that the test environments gave
out (never those of a real account). Each is named by a variable of the environment:

    SHOAL_BINANCE_TESTNET_KEY, …_SECRET                  testnet.binance.vision
    SHOAL_COINBASE_SANDBOX_KEY, …_SECRET, …_PASSPHRASE   the sandbox of Coinbase Exchange

Kraken has no test environment for spot. Its bot is in mode paper: prices of its beta
WebSocket, orders matched here, no key.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from actors.pure.config import Problems, load
from actors.pure.config_endpoints import host_of
from tests.system.fleet_desk import ROOT, shoal, write_strategy

CONNECT_S: Final = 5.0
TRY = '''
"""Buy once, sell once, and again: so that every road to the exchange is used."""
from actors.messages import Signal, SignalType


class Try:
    candles_min = 0

    def evaluate(self, view):
        kind = SignalType.BUY if view.position is None else SignalType.SELL
        return Signal(kind, 1.0, 1.0, ("trying the exchange",))
'''


@attrs.frozen
class Place:
    """One test environment: its addresses, what is traded there, the keys it needs."""

    exchange: str
    mode: str
    symbol: str
    addresses: Mapping[str, str]
    keys: Mapping[str, str]  # of the account's table, by the variable that holds it
    comment: str = ""

    @property
    def missing(self) -> list[str]:
        return [name for name in self.keys.values() if not os.environ.get(name)]


PLACES: Final = (
    Place(
        "binance",
        "live",
        "BTC/USDT",
        {
            "url": "wss://stream.testnet.binance.vision/ws",
            "rest_url": "https://testnet.binance.vision",
            "ws_api_url": "wss://ws-api.testnet.binance.vision/ws-api/v3",
        },
        {
            "key": "SHOAL_BINANCE_TESTNET_KEY",
            "secret": "SHOAL_BINANCE_TESTNET_SECRET",
        },
    ),
    Place(
        "coinbase",
        "live",
        "BTC/USD",
        {
            "url": "wss://ws-feed-public.sandbox.exchange.coinbase.com",
            "rest_url": "https://api-public.sandbox.exchange.coinbase.com",
        },
        {
            "key": "SHOAL_COINBASE_SANDBOX_KEY",
            "secret": "SHOAL_COINBASE_SANDBOX_SECRET",
            "passphrase": "SHOAL_COINBASE_SANDBOX_PASSPHRASE",
        },
    ),
    Place(
        "kraken",
        "paper",
        "BTC/USD",
        {"url": "wss://beta-ws.kraken.com/v2"},
        {},
        "no test environment for spot: prices of its beta, orders matched here",
    ),
)


def config_of(place: Place) -> str:
    """Return the bots.toml of one test environment."""
    addresses = "\n".join(f'{key} = "{url}"' for key, url in place.addresses.items())
    keys = "\n".join(f'{key} = "env:{name}"' for key, name in place.keys.items())
    return f"""
mode = "{place.mode}"
state = "var"

[exchanges.{place.exchange}]
{addresses}

[accounts.try]
exchange = "{place.exchange}"
{keys}

[accounts.try.risk]
daily_loss_percent_max = 50

[[bots]]
name = "try-{place.exchange}"
account = "try"
symbol = "{place.symbol}"
strategy = "try_out:Try"
capital = 200
position_percent = 25
stop_loss_percent = 5
evaluate_s = 5
"""


def unreachable(place: Place) -> str:
    """Return which host cannot be reached, and why; "" where all can."""
    for url in place.addresses.values():
        host = host_of(url) or ""
        try:
            socket.create_connection((host, 443), CONNECT_S).close()
        except OSError as error:
            return f"{host}: {error.strerror or error}"
    return ""


def run(place: Place, home: Path, for_s: float) -> bool:
    """Run a fleet there, show how it stands, and return whether it ran and ended well."""
    write_strategy(home, "try_out", TRY)
    file = home / "bots.toml"
    file.write_text(config_of(place))
    live = ("--live",) if place.mode == "live" else ()
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "actors", "run", str(file), "--for", f"{for_s:g}", *live],
        cwd=ROOT,
        check=False,
    )
    say(shoal("status", str(file)).stdout)
    return done.returncode == 0


def main(typed: Sequence[str]) -> int:
    """Run each place that has what it needs; say what the others lack."""
    parser = argparse.ArgumentParser("testnet", description="Fleets where one may try.")
    parser.add_argument("--for", dest="for_s", type=float, default=60.0)
    asked = parser.parse_args(typed)
    ran, failed = 0, 0
    for place in PLACES:
        lacks = ", ".join(place.missing)
        why = f"not run, it needs {lacks}" if lacks else unreachable(place)
        if why:
            say(f"{place.exchange}: {why}")
            continue
        say(f"{place.exchange}: mode {place.mode}{place.comment and f', {place.comment}'}")
        with tempfile.TemporaryDirectory() as folder:
            failed += not run(place, Path(folder).resolve(), asked.for_s)
        ran += 1
    say(f"{ran} of {len(PLACES)} test environments were tried, {failed} without success")
    return 1 if failed or not ran else 0


def problems(place: Place) -> str:
    """Return what `shoal check` would say of the configuration; "" is good."""
    answer = load(config_of(place), "bots.toml")
    return str(answer) if isinstance(answer, Problems) else ""


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
