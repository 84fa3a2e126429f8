"""Signals end the process: orderly, then quickly, then at once (I-25)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import MockClock

from actors.exit_codes import FORCED, OK
from actors.fleet_signals import stop_after

ORDERLY = [
    "bot stopping",
    "bot stopped",
    "feed stopping",
    "feed stopped",
    "journal stopping",
    "journal stopped",
]


@contextmanager
def fleet(
    *, goodbye_s: float = 0, limit_s: float = 20, more: str = ""
) -> Generator[subprocess.Popen[str], None, None]:
    """Run the small tree until it is up; end it, come what may."""
    words = [f"{goodbye_s}", f"{limit_s}", more]
    process = subprocess.Popen(  # noqa: S603 -- our own module
        [sys.executable, "-m", "tests.system.fleet_on_signals", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            wait_for(process, "stuck" if more == "stuck" else "bot ready")
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    seen = iter(process.stdout.readline, "")
    assert line in (each.strip() for each in seen), "the process ended too early"


def rest(process: subprocess.Popen[str]) -> list[str]:
    return process.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_the_tree_in_order(number: signal.Signals) -> None:
    with fleet() as process:
        process.send_signal(number)
        assert (rest(process), process.returncode) == (ORDERLY, OK)


def test_the_second_signal_waits_for_no_neighbour() -> None:
    with fleet(goodbye_s=1.5) as process:
        process.send_signal(signal.SIGINT)
        wait_for(process, "bot stopping")
        process.send_signal(signal.SIGTERM)
        lines = rest(process)
    assert lines[:2] == ["journal stopping", "feed stopping"]
    assert process.returncode == FORCED


def test_the_third_signal_ends_the_process_at_once() -> None:
    with fleet(goodbye_s=15) as process:
        process.send_signal(signal.SIGINT)
        wait_for(process, "bot stopping")
        process.send_signal(signal.SIGINT)
        wait_for(process, "feed stopping")
        process.send_signal(signal.SIGINT)
        assert (rest(process), process.returncode) == ([], FORCED)


def test_an_orderly_stop_that_takes_too_long_is_cut() -> None:
    with fleet(goodbye_s=15, limit_s=0.5) as process:
        process.send_signal(signal.SIGINT)
        assert (rest(process), process.returncode) == (["bot stopping"], FORCED)


def test_a_stuck_event_loop_cannot_hold_the_process() -> None:
    with fleet(limit_s=0.5, more="stuck") as process:
        process.send_signal(signal.SIGINT)
        assert (rest(process), process.returncode) == ([], FORCED)


def test_a_fleet_that_gave_up_is_cut_too_where_somebody_overruns_the_goodbye() -> None:
    with fleet(goodbye_s=15, limit_s=0.5, more="given_up") as process:
        lines = rest(process)
    assert lines[-2:] == ["end escalated", "bot stopping"]
    assert process.returncode == FORCED


@pytest.mark.parametrize("is_stopping", [False, True])
async def test_a_time_that_is_over_is_no_second_signal(
    autojump_clock: MockClock, *, is_stopping: bool
) -> None:
    """It skipped the goodbyes of a fleet that was told to stop, and left its entries."""
    stop, noted = trio.CancelScope(), list[float]()
    if is_stopping:
        stop.cancel()
    await stop_after(stop, 60, lambda: noted.append(trio.current_time()))
    assert (noted, stop.cancel_called) == ([] if is_stopping else [60], True)
