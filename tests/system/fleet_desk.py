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
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledger

ROOT = Path(__file__).parents[2]

T = TypeVar("T")


@attrs.define
class Desk:
    """One bots.toml, and the fleet that runs it."""

    file: Path
    log: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        """Return what the fleet wrote to its screen."""
        return self.log.read_text()

    def status(self) -> Mapping[str, Any]:
        """Return the answer of `shoal status --json`."""
        return msgspec.json.decode(shoal("status", "--json", str(self.file)).stdout)

    def tell(self, *typed: str) -> str:
        """Type a command; return what it answers when it is done."""
        done = shoal(*typed, str(self.file))
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def facts(self) -> list[Fact]:
        return facts_of(self.file.parent / "var")

    def wait_for_line(self, words: str, *, within_s: float = 15) -> None:
        """Wait until the screen says `words`."""
        wait_until(lambda: words in self.said(), within_s=within_s, said=self.end_of_log)

    def wait_for(self, kind: type[Fact], number: int = 1, *, within_s: float = 15) -> None:
        """Wait until the ledger holds so many facts of a kind."""

        def are_there() -> bool:
            return sum(isinstance(fact, kind) for fact in self.facts()) >= number

        wait_until(are_there, within_s=within_s, said=self.end_of_log)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, within_s: float = 15) -> int:
        """Wait until the fleet has ended by itself; return its exit code."""
        return self.process.wait(timeout=within_s)

    def stop(self) -> tuple[int, float]:
        """Send SIGINT; return the exit code and the seconds it took."""
        begun_s = time.monotonic()
        self.signal(signal.SIGINT)
        return self.end(), time.monotonic() - begun_s

    def end_of_log(self) -> str:
        return self.said()[-4000:]


@contextmanager
def running_fleet(
    file: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Generator[Desk]:
    """Run `shoal run FILE` as a process of its own; end it, come what may."""
    log = file.parent / "screen.log"
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "actors", "run", str(file), *arguments],
            cwd=ROOT, stdout=out, stderr=out, env={**os.environ, **(environment or {})},
        )  # fmt: skip
    with process:
        try:
            yield Desk(file, log, process)
        finally:
            process.kill()


def shoal(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a command and wait for its end."""
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "actors", *typed],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
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


def wait_until(
    is_so: Callable[[], bool], *, within_s: float, said: Callable[[], str] = str
) -> None:
    """Look ten times a second until something is so; `said` explains when it never is."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, said()
        time.sleep(0.1)
