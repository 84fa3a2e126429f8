"""Stand at a real fleet's desk: start it, ask it, wait for it, read its ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec

from actors.messages import Fact
from adapters.control import FleetNotRunning, ask_fleet
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledger
from tests.system.processes import CHURN, PATIENCE_S

ROOT = Path(__file__).parents[2]

T = TypeVar("T")


@attrs.define
class Desk:
    """One bots.toml, and the fleet that runs it."""

    file: Path
    log: Path
    process: subprocess.Popen[bytes]
    screen: subprocess.Popen[bytes]

    def said(self) -> str:
        """Return what the fleet wrote to its screen."""
        return self.log.read_text()

    def status(self) -> Mapping[str, Any]:
        """Return the answer of `shoal status --json`."""
        return msgspec.json.decode(shoal("status", "--json", str(self.file)).stdout)

    def ask(self, verb: str, subject: str = "") -> Mapping[str, Any]:
        """Return what the running fleet answers to a command; {} when it does not run."""
        try:
            return ask_fleet(self.file.parent / "var", verb, subject)
        except FleetNotRunning:
            return {}

    def now(self) -> Mapping[str, Any]:
        """Return what `status` would tell of the running fleet."""
        return self.ask("status")

    def actors(self) -> dict[str, dict[str, Any]]:
        """Return every actor of the running fleet by its path."""
        return {actor["path"]: actor for actor in self.now().get("actors", ())}

    def bots(self) -> dict[str, dict[str, Any]]:
        """Return every bot of the running fleet by its name."""
        return self.now().get("bots", {})

    def tell(self, verb: str, subject: str, *options: str) -> str:
        """Type a command; return what it answers when it is done."""
        done = shoal(verb, subject, str(self.file), *options)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def facts(self) -> list[Fact]:
        return facts_of(self.file.parent / "var")

    def wait_for_line(self, words: str, *, number: int = 1) -> None:
        """Wait until the screen has said `words` so many times."""
        self.wait_until(lambda: self.said().count(words) >= number)

    def wait_for(self, kind: type[Fact], number: int = 1) -> None:
        """Wait until the ledger holds so many facts of a kind."""

        def are_there() -> bool:
            return sum(isinstance(fact, kind) for fact in self.facts()) >= number

        self.wait_until(are_there)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, as long as the fleet lives."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert self.process.poll() is None, self.said()[-4000:]
            assert time.monotonic() < deadline, self.said()[-4000:]
            time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait until the fleet has ended by itself; return its exit code."""
        code = self.process.wait(timeout=PATIENCE_S)
        self.screen.wait(timeout=PATIENCE_S)
        return code

    def stop(self) -> tuple[int, float]:
        """Send SIGINT; return the exit code and the seconds it took."""
        begun_s = time.monotonic()
        self.signal(signal.SIGINT)
        return self.end(), time.monotonic() - begun_s


@contextmanager
def running_fleet(
    file: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Generator[Desk]:
    """Run `shoal run FILE` as a process of its own; end it, come what may.

    Another process keeps what it says, so that a limit on its files is none on its screen.
    """
    log = file.parent / "screen.log"
    with log.open("ab") as kept:
        screen = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=kept)
    with screen:
        process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "actors", "run", str(file), *arguments],
            cwd=ROOT,
            stdout=screen.stdin,
            stderr=screen.stdin,
            env={**os.environ, **(environment or {})},
        )
        assert screen.stdin is not None
        screen.stdin.close()
        with process:
            try:
                yield Desk(file, log, process, screen)
            finally:
                process.kill()


def write_sim_fleet(
    home: Path, *, head: str = "", strategy: str = CHURN, bots: int = 3, tail: str = ""
) -> Path:
    """Write a bots.toml of mode "sim" whose bots run `strategy`, by default: churn."""
    write_strategy(home, "churn", strategy)
    text = f"""
mode = "sim"
state = "var"
{head}
[exchanges.binance]
reconnect = {{ attempts = 5, initial_s = 0.2, max_s = 1, multiplier = 2, jitter = 0.1 }}

[accounts.main]
exchange = "binance"
"""
    for number in range(bots):
        text += f"""
[[bots]]
name = "churn-{number}"
account = "main"
symbol = "{("BTC/USDT", "ETH/USDT")[number % 2]}"
strategy = "churn:Churn"
capital = 10_000
position_percent = 10
stop_loss_percent = 5
evaluate_s = 0.3
check_s = 0.5
"""
    path = home / "bots.toml"
    path.write_text(f"{text}\n[simulator]\nticker_ms = 200\n{tail}")
    return path


def write_strategy(home: Path, name: str, text: str) -> Path:
    """Write a strategy of the user's own where the fleet looks for it."""
    folder = home / "strategies"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(text)
    path.chmod(0o600)
    return path


def shoal(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a command and wait for its end."""
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "actors", *typed],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


def facts_of(state: Path) -> list[Fact]:
    """Return all facts of the newest ledger; none when there is no ledger yet."""
    path = newest_ledger(state)
    if path is None:
        return []
    with Ledger(path) as ledger:
        return [row.fact for row in ledger.rows()]


def only(kind: type[T], facts: Sequence[object]) -> list[T]:
    """Return the facts of one kind."""
    return [fact for fact in facts if isinstance(fact, kind)]
