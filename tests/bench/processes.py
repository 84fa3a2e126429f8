"""Start the exchange and the roles of a bench, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).parents[2]
LONGEST_S = 120.0


@attrs.frozen
class Pace:
    """How long a part may take: all of its time, or a moment to see that it starts."""

    is_smoke: bool = False

    def rounds(self, full: int) -> int:
        return 1 if self.is_smoke else full

    def seconds(self, full: float) -> float:
        return min(full, 8.0) if self.is_smoke else full

    def bots(self, full: int) -> int:
        return min(full, 50) if self.is_smoke else full


@attrs.frozen
class Exchange:
    """A running `tests.bench.exchange`."""

    process: subprocess.Popen[str]
    where: dict[str, Any]

    def parsed_us(self) -> dict[str, int]:
        """Return, and forget, when each order came out of the exchange's parser."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write("orders\n")
        stdin.flush()
        return json.loads(stdout.readline())


@contextmanager
def exchange(**wanted: object) -> Generator[Exchange]:
    """Run a simulated exchange for the length of the block."""
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "tests.bench.exchange", json.dumps(wanted)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            yield Exchange(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


@contextmanager
def flooder(**wanted: object) -> Generator[str]:
    """Run a socket that only writes, for the length of the block; return its address."""
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "tests.bench.flooder", json.dumps(wanted)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            yield f"ws://127.0.0.1:{process.stdout.readline().strip()}/stream"
        finally:
            process.kill()


def role(module: str, **spec: object) -> dict[str, Any]:
    """Run one role to its end and return what it noted."""
    return run([sys.executable, "-m", f"tests.bench.{module}"], spec)


def run(command: list[str], spec: Mapping[str, object]) -> dict[str, Any]:
    """Run a program with `spec` and return what it noted."""
    done = subprocess.run(  # noqa: S603 -- our own program, or a peer's
        [*command, json.dumps(spec)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=LONGEST_S, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)
