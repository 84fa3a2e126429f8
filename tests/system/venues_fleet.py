"""A live fleet on several simulated exchanges in another process, and what its bots saw."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import attrs

from actors.fleet_simulator import Simulators, embedded, throw_away
from actors.fleet_venues import Account
from actors.pure.config import AccountConfig, SimulatorConfig
from actors.pure.config_simulator import MarketConfig
from actors.pure.money import ZERO
from tests.system.fleet_desk import write_strategy
from tests.system.processes import CHURN
from tests.system.processes import start_fleet as start_process

SYMBOLS = {"binance": "BTC/USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
PRICE = 60_000

COUNT = '''
"""Buy nothing, and write down each price that came by the stream."""
from actors.messages import Signal, SignalType, Source


class Count:
    candles_min = 0

    def __init__(self, path):
        self.out = open(path, "a", buffering=1)

    def evaluate(self, view):
        seen = view.ticker
        if seen.source is Source.STREAM:
            self.out.write(f"{seen.exchange_ms} {seen.last} {seen.bid} {seen.ask}\\n")
        return Signal(SignalType.HOLD, 0.0, 1.0, ("counting",))
'''
Seen = Counter[tuple[int, str]]  # Unix ms of the exchange, and what was quoted


@attrs.frozen(eq=False)
class Places:
    """Exchanges on this machine, an account at each, and the folder of the fleet."""

    home: Path
    simulators: Simulators
    accounts: Mapping[str, Account]  # by exchange; each bears the exchange's name

    @property
    def file(self) -> Path:
        return self.home / "bots.toml"

    @property
    def state(self) -> Path:
        return self.home / "var"

    @property
    def log(self) -> Path:
        return self.home / "log"

    def seen(self, exchange: str) -> Seen:
        """Return what the counting bot of one exchange has seen."""
        path = self.home / f"seen-{exchange}"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(
            (int(at_ms), quoted)
            for at_ms, _, quoted in (line.partition(" ") for line in lines)
        )


def found_places(home: Path, exchanges: tuple[str, ...]) -> Places:
    """Return simulated exchanges that nobody serves yet."""
    table = SimulatorConfig(
        ticker_ms=200,
        exchanges={
            name: MarketConfig(
                prices={SYMBOLS[name]: ZERO + PRICE},
                balances={SYMBOLS[name].partition("/")[2]: ZERO + 100_000},
            )
            for name in exchanges
        },
    )
    accounts: dict[str, Account] = {}
    for name in exchanges:
        config = AccountConfig(name=name, exchange=name, capital=ZERO + 1)
        accounts[name] = Account(config, throw_away(config))
    return Places(home, embedded(table, exchanges, accounts.values()), accounts)


def start_fleet(places: Places) -> subprocess.Popen[bytes]:
    """Start `shoal run --live` on them; they must be served already."""
    _write(places)
    environment: dict[str, str] = {}
    for name, account in places.accounts.items():
        environment[f"KEY_{name}".upper()] = account.keys.key.reveal()
        environment[f"SECRET_{name}".upper()] = account.keys.secret.reveal()
    environment["XDG_STATE_HOME"] = str(places.home)  # what limits and nonces remember
    return start_process(places.file, "--live", log=places.log, environment=environment)


def _write(places: Places) -> None:
    write_strategy(places.home, "count", COUNT)
    write_strategy(places.home, "churn", CHURN)
    text = 'mode = "live"\nstate = "var"\n'
    for name in places.accounts:
        text += _exchange(places, name) + _bots(places, name)
    pairs = [f'"{name}:{SYMBOLS[name]}"' for name in places.accounts]
    text += f"""
[[bots]]
name = "looks-at-all"
account = "{next(iter(places.accounts))}"
symbol = "{SYMBOLS[next(iter(places.accounts))]}"
reads = [{", ".join(pairs[1:])}]
strategy = "count:Count"
params = {{ path = "{places.home}/seen-by-all" }}
capital = 1_000
position_percent = 1
evaluate_s = "tick"
"""
    places.file.write_text(text)


def _exchange(places: Places, name: str) -> str:
    where = places.simulators.where(name)
    more = ""
    if name == "coinbase":
        more = f'trading_rest_url = "{where.rest_url}"'
    return f"""
[exchanges.{name}]
url = "{where.url}"
rest_url = "{where.rest_url}"
ws_api_url = "{where.ws_api_url}"
{more}
send_keys_to_this_host = true
reconnect = {{ attempts = 5, initial_s = 0.2, max_s = 1, multiplier = 2, jitter = 0.1 }}
ping_s = 3
pong_s = 2.5
silence_s = {{ ticker = 3 }}
fallback_after_s = 1.5
poll_s = 0.5
clock_uncertainty_ms_max = 5_000

[accounts.{name}]
exchange = "{name}"
key = "env:KEY_{name.upper()}"
secret = "env:SECRET_{name.upper()}"
"""


def _bots(places: Places, name: str) -> str:
    return f"""
[[bots]]
name = "counts-{name}"
account = "{name}"
symbol = "{SYMBOLS[name]}"
strategy = "count:Count"
params = {{ path = "{places.home}/seen-{name}" }}
capital = 1_000
position_percent = 1
evaluate_s = "tick"

[[bots]]
name = "trades-{name}"
account = "{name}"
symbol = "{SYMBOLS[name]}"
strategy = "churn:Churn"
capital = 1_000
position_percent = 50
stop_loss_percent = 5
evaluate_s = 1
"""
