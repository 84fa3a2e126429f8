"""The log: a line for people, JSON for machines, never a secret, never in the way."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from actors.pure.transition_line import NAME_WIDTH
from adapters.log import QUIET, Log, LogFormat, set_up
from adapters.log_sink import LogSink
from adapters.secrets import Redaction, Secret

AT_MS = 1_700_000_037_481  # 22:13:57.481 UTC
CANARY = "kanarie-9f3a"


@pytest.fixture(autouse=True)
def python_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def log_into(
    stream: StringIO, log_format: LogFormat = LogFormat.HUMAN, level: str = "info"
) -> Log:
    redaction = Redaction()
    redaction.learn(Secret(CANARY))
    return set_up(
        stream,
        redaction=redaction,
        now_ms=lambda: AT_MS,
        log_format=log_format,
        level=level,
    )


def test_people_read_time_actor_and_words() -> None:
    stream = StringIO()
    log_into(stream).info("connected", actor="feed:binance", attempt=2)

    assert stream.getvalue() == f"22:13:57.481  {'feed:binance':<{NAME_WIDTH}}  connected\n"


def test_machines_read_the_data_too() -> None:
    stream = StringIO()
    log_into(stream, LogFormat.JSON).warning("connected", actor="feed:binance", attempt=2)

    assert json.loads(stream.getvalue()) == {
        "time": "2023-11-14T22:13:57.481Z",
        "actor": "feed:binance",
        "event": "connected",
        "level": "warning",
        "attempt": 2,
    }


def test_the_time_of_the_event_goes_before_the_time_of_the_line() -> None:
    stream = StringIO()
    log_into(stream).info("connected", actor="feed:binance", at_ms=AT_MS + 1000)

    assert stream.getvalue().startswith("22:13:58.481  ")


def test_the_level_is_kept() -> None:
    stream = StringIO()
    log = log_into(stream, level="warning")
    log.info("not this", actor="fleet")
    log.error("this", actor="fleet")

    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["this"]


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_secret_is_hidden_in_words_data_and_traceback(log_format: LogFormat) -> None:
    stream = StringIO()
    log = log_into(stream, log_format)
    try:
        raise ValueError(f"no such key: {CANARY}")
    except ValueError:
        words = f"signed with {CANARY}"
        log.error(words, actor="fleet", key=CANARY, exc_info=True)  # noqa: G201 -- ours, not logging's

    text = stream.getvalue()
    assert (CANARY in text, "ValueError: no such key: ***" in text) == (False, True)


def test_a_line_break_from_outside_forges_no_line() -> None:
    stream = StringIO()
    log_into(stream).info("venue said: x\n12:00:00.000  fleet  \x1b[2Kall well", actor="a")

    assert (stream.getvalue().count("\n"), "\x1b" in stream.getvalue()) == (1, False)


def test_what_libraries_log_comes_out_too_and_clean() -> None:
    stream = StringIO()
    log_into(stream)
    logging.getLogger("some.library").warning("bad %s", CANARY)

    assert stream.getvalue() == f"22:13:57.481  {'some.library':<{NAME_WIDTH}}  bad ***\n"


@pytest.mark.parametrize("name", QUIET)
def test_network_libraries_say_nothing_below_a_warning(name: str) -> None:
    stream = StringIO()
    log_into(stream, level="debug")
    logging.getLogger(f"{name}.deep").info("request headers")

    assert not stream.getvalue()


def test_the_sink_writes_everything_in_order() -> None:
    stream = StringIO()
    sink = LogSink(stream)
    for number in range(1000):
        sink.write(f"{number}\n")
    sink.close()

    assert stream.getvalue() == "".join(f"{number}\n" for number in range(1000))


class Stuck(StringIO):
    """A terminal on which somebody pressed ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.is_free = threading.Event()
        self.is_reached = threading.Event()

    def write(self, text: str, /) -> int:
        self.is_reached.set()
        self.is_free.wait(10)
        return super().write(text)


def test_a_terminal_that_does_not_read_stops_nobody_and_the_loss_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.log_sink.GOODBYE_S", 30)  # a busy machine may be slow
    stream = Stuck()
    sink = LogSink(stream, lines_max=10)
    sink.write("first\n")
    assert stream.is_reached.wait(30)
    before_s = time.monotonic()
    for number in range(100):
        sink.write(f"{number}\n")
    took_s = time.monotonic() - before_s
    stream.is_free.set()
    sink.close()

    assert took_s < 10
    assert stream.getvalue().splitlines() == [
        "first",
        "… 90 lines of the log were dropped: not written",
        *(str(number) for number in range(90, 100)),
    ]


def test_closing_does_not_wait_for_a_stuck_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.log_sink.GOODBYE_S", 0.05)
    stream = Stuck()
    sink = LogSink(stream)
    sink.write("first\n")
    before_s = time.monotonic()
    sink.close()
    took_s = time.monotonic() - before_s
    stream.is_free.set()

    assert took_s < 5


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = """
import sys
from adapters.log_sink import LogSink
sink = LogSink(sys.stdout)
for _ in range(100_000):
    sink.write("x" * 100 + "\\n")
sink.close()
sys.stderr.write("done")
sys.stderr.flush()
import os
os._exit(0)
"""
    root = Path(__file__).parents[2]
    child = subprocess.Popen(  # noqa: S603 -- ourselves
        [sys.executable, "-c", script],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        assert child.stdout
        assert child.stderr
        child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b"done"
