"""Start `shoal` and `shoal sim` as real processes, and compare what each believes."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import msgspec

from actors.messages import Attempted, Ended, Filled, OrderStatus
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledgers

ROOT = Path(__file__).parents[2]
KEY, SECRET = "throw-away-key", "throw-away-secret"
TRUTH_S = 15.0  # of the exchange's refusals
PATIENCE_S = 120.0  # for what comes soon, and on a busy machine comes later
LISTENS = re.compile(r"listens: (\S+) (\S+) (\S+)")

CHURN = '''
"""Buy and sell in turn, as often as it is asked: order flow for tests."""
from actors.messages import Signal, SignalType


class Churn:
    candles_min = 0

    def evaluate(self, view):
        kind = SignalType.BUY if view.position is None else SignalType.SELL
        return Signal(kind, 1.0, 1.0, ("churn",))
'''


@attrs.define
class Sim:
    """A running `shoal sim`."""

    process: subprocess.Popen[str]
    rest_url: str
    url: str
    ws_api_url: str
    ca_file: Path | None = None  # who vouches for it, where it serves TLS

    def truth(self) -> Mapping[str, Any]:
        """Return what really happened at the exchange; it may refuse us by its script."""
        trusted = ssl.create_default_context(cafile=self.ca_file)
        url = f"{self.rest_url}/simulator/truth"
        until_s = time.monotonic() + TRUTH_S
        while True:
            try:
                answer = httpx.get(url, timeout=10, verify=trusted)
                return msgspec.json.decode(answer.content)
            except httpx.TransportError:
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.1)


@contextmanager
def running_sim(*arguments: str, tls: Path | None = None) -> Generator[Sim]:
    """Run a simulated exchange on a free port, in a process of its own.

    `tls` is a folder with certificate.pem, key.pem and, for the clients, ca.pem.
    """
    if tls is not None:
        arguments = (*arguments, "--tls", str(tls))
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-u", "-m", "actors", "sim", "--port", "0", "--key",
         f"{KEY}:{SECRET}", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            found = next(filter(None, map(LISTENS.search, process.stdout)))
            ca_file = tls / "ca.pem" if tls is not None else None
            yield Sim(process, *found.groups(), ca_file=ca_file)
        finally:
            process.kill()


def write_live_fleet(home: Path, sim: Sim, *, bots: int = 3) -> Path:
    """Write a bots.toml that trades live on `sim`, as often as it can."""
    strategies = home / "strategies"
    strategies.mkdir(mode=0o700)
    strategy = strategies / "churn.py"
    strategy.write_text(CHURN)
    strategy.chmod(0o600)
    ca_file = f'ca_file = "{sim.ca_file}"' if sim.ca_file is not None else ""
    text = f"""
mode = "live"
state = "var"

[exchanges.binance]
url = "{sim.url}"
rest_url = "{sim.rest_url}"
ws_api_url = "{sim.ws_api_url}"
send_keys_to_this_host = true
{ca_file}
reconnect = {{ attempts = 5, initial_s = 0.2, max_s = 1, multiplier = 2, jitter = 0.1 }}

[accounts.main]
exchange = "binance"
key = "env:SHOAL_TEST_KEY"
secret = "env:SHOAL_TEST_SECRET"
"""
    for number in range(bots):
        symbol = ("BTC/USDT", "ETH/USDT")[number % 2]
        text += f"""
[[bots]]
name = "churn-{number}"
account = "main"
symbol = "{symbol}"
strategy = "churn:Churn"
capital = 10_000
position_percent = 10
stop_loss_percent = 5
evaluate_s = 0.3
"""
    path = home / "bots.toml"
    path.write_text(text)
    return path


def start_fleet(
    file: Path, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `shoal run`; its output goes to the end of `log`."""
    keys = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
    environment = {**os.environ, **keys, **(environment or {})}
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "actors", "run", str(file), *arguments],
            cwd=ROOT, stdout=out, stderr=out, env=environment,
        )  # fmt: skip


def disagreements(
    sim: Sim, state: Path, *, settled_s: float, owner: str = "", key: str = "key1"
) -> list[str]:
    """Return where an owner's ledger and exchange differ on orders older than `settled_s`.

    Younger ones may be on their way. Empty is good.
    """
    path = newest_ledgers(state).get(owner)
    if path is None:
        return ["there is no ledger"]
    truth = sim.truth()
    before_ms = truth["now_ms"] - int(settled_s * 1000)
    attempted: dict[str, int] = {}
    status: dict[str, OrderStatus] = {}
    booked: dict[str, set[str]] = {}
    with Ledger(path) as ledger:
        for row in ledger.rows():
            match row.fact:
                case Attempted(client_order_id=order_id, attempt_ms=at_ms):
                    attempted[order_id] = at_ms
                case Ended(client_order_id=order_id, status=ended):
                    status[order_id] = ended
                case Filled(client_order_id=order_id, trade_id=trade_id):
                    booked.setdefault(order_id, set()).add(trade_id)
                case _:
                    pass
    orders = truth["orders"][key]
    said = [f"{each} was placed twice" for each in truth["placed_twice"]]
    said += [f"{each} is not in the ledger" for each in orders if each not in attempted]
    for order_id, at_ms in attempted.items():
        if at_ms < before_ms:
            said += _differences(order_id, orders.get(order_id), status, booked)
    return said


def _differences(
    order_id: str,
    order: Mapping[str, Any] | None,
    status: Mapping[str, OrderStatus],
    booked: Mapping[str, set[str]],
) -> list[str]:
    ended = status.get(order_id)
    if order is None:
        is_known = ended in {OrderStatus.NOT_PLACED, OrderStatus.REJECTED}
        return [] if is_known else [f"{order_id}: {ended} here, unknown there"]
    fills = {str(fill["trade_id"]) for fill in order["fills"]}
    said: list[str] = []
    if fills != booked.get(order_id, set()):
        said.append(f"{order_id}: fills {booked.get(order_id)} here, {fills} there")
    if not order["is_open"] and (ended is None or ended.value != order["status"].lower()):
        said.append(f"{order_id}: {ended} here, {order['status']} there")
    return said


def wait_for_agreement(
    sim: Sim, state: Path, *, owner: str = "", key: str = "key1"
) -> list[str]:
    """Return [] as soon as ledger and exchange agree, else what differs in the end."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        said = disagreements(sim, state, settled_s=3, owner=owner, key=key)
        if not said or time.monotonic() > deadline:
            return said
        time.sleep(0.5)
