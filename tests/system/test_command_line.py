"""What is typed after `shoal`, and what it answers before any fleet runs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from actors import exit_codes
from actors.__main__ import main
from actors.messages import FleetStopped
from actors.pure.config_reference import reference
from actors.pure.config_simulator import CONNECTIONS, FAULTS
from adapters.simulator.faults import Connection, Kind
from tests.system.fleet_desk import facts_of, only, write_sim_fleet

ROOT = Path(__file__).parents[2]
SHIPPED = str(ROOT / "bots.toml")
LIVE = """\
mode = "live"
[accounts.main]
exchange = "binance"
key = "env:KEY"
secret = "env:SECRET"
[[bots]]
name = "one"
account = "main"
symbol = "BTC/USDT"
strategy = "ema_cross"
capital = 10_000
position_percent = 10
"""


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The command makes all that follows private; the other tests are not its own."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def shoal(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own command, and what the tests type
        [sys.executable, "-m", "actors", *typed],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )


def test_check_says_that_the_shipped_file_is_good() -> None:
    done = shoal("check")
    assert (done.returncode, done.stdout, done.stderr) == (
        exit_codes.OK,
        "bots.toml is good: mode sim, 1 exchange, 1 account, 4 bots on 2 symbols, "
        "will halt at \N{MINUS SIGN}5.0 %\n",
        "",
    )


def test_check_speaks_to_a_terminal_that_knows_ascii_only() -> None:
    assert shoal("check", PYTHONIOENCODING="ascii").stdout.endswith("halt at ?5.0 %\n")


def test_check_loads_no_network() -> None:
    code = (
        "import sys; from actors.__main__ import main; main(['check']); "
        "print(sorted({'trio', 'ssl', 'socket', 'sqlite3'} & sys.modules.keys()))"
    )
    done = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_prints_every_problem_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bots.toml"
    file.write_text(LIVE.replace("capital", "captial").replace('"live"', '"life"'))
    assert main(["check", str(file)]) == exit_codes.BAD_INPUT
    assert capsys.readouterr().err == (
        f'{file}:1: mode: must be "sim", "paper" or "live", not the text "life"; did you '
        "mean live?\n"
        f"{file}:11: bots[0].captial: unknown key; did you mean capital?\n"
    )


def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, missing, pipe = tmp_path, tmp_path / "none.toml", tmp_path / "pipe"
    os.mkfifo(pipe)
    codes = [main(["run", str(path)]) for path in (folder, missing, pipe)]
    assert (codes, capsys.readouterr().err.splitlines()) == (
        [exit_codes.BAD_INPUT] * 3,
        [
            f"{folder}: is a folder; name the file in it",
            f"{missing}: there is no such file",
            f"{pipe}: is not a regular file",
        ],
    )


def test_a_file_larger_than_any_configuration_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bots.toml"
    file.write_bytes(b"#" * 2_000_000)
    assert main(["check", str(file)]) == exit_codes.BAD_INPUT
    assert capsys.readouterr().err == (
        f"{file}: larger than 1 MiB; this is no configuration\n"
    )


class FleetCommands(ModuleType):
    """Stands where the fleet's commands are, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__("actors.fleet_commands")
        self.told: list[tuple[str, argparse.Namespace]] = []

    def __getattr__(self, name: str) -> object:
        def command(arguments: argparse.Namespace) -> int:
            self.told.append((name, arguments))
            return exit_codes.ESCALATED

        return command


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> FleetCommands:
    commands = FleetCommands()
    monkeypatch.setitem(sys.modules, "actors.fleet_commands", commands)
    return commands


def test_live_is_refused_where_it_is_not_typed(
    tmp_path: Path, fleet: FleetCommands, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bots.toml"
    file.write_text(LIVE)
    assert main(["run", str(file)]) == exit_codes.BAD_INPUT
    assert (fleet.told, capsys.readouterr().err) == (
        [],
        f'{file}: mode = "live" trades real money; if you mean it, type: '
        f"shoal run {file} --live\n",
    )


def test_live_is_refused_where_the_file_does_not_say_it(
    fleet: FleetCommands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", SHIPPED, "--live"]) == exit_codes.BAD_INPUT
    assert (fleet.told, capsys.readouterr().err) == (
        [],
        f'{SHIPPED}: mode = "sim", so nothing is live; type: shoal run {SHIPPED}\n',
    )


def test_live_runs_where_both_say_so(tmp_path: Path, fleet: FleetCommands) -> None:
    file = tmp_path / "bots.toml"
    file.write_text(LIVE)
    assert main(["run", "--live", str(file)]) == exit_codes.ESCALATED
    assert fleet.told[0][1].config.mode.value == "live"


def test_paper_runs_without_a_word_of_live_and_live_is_refused(
    tmp_path: Path, fleet: FleetCommands, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bots.toml"
    file.write_text(LIVE.replace('"live"', '"paper"'))
    assert main(["run", str(file)]) == exit_codes.ESCALATED
    assert fleet.told[0][1].config.mode.value == "paper"
    assert main(["run", "--live", str(file)]) == exit_codes.BAD_INPUT
    assert capsys.readouterr().err == (
        f'{file}: mode = "paper", so nothing is live; type: shoal run {file}\n'
    )


def test_the_state_folder_is_seen_from_the_folder_of_the_file(
    tmp_path: Path, fleet: FleetCommands
) -> None:
    file = tmp_path / "bots.toml"
    file.write_text(LIVE)
    main(["run", "--live", str(file)])
    assert fleet.told[0][1].config.state == str(tmp_path / "var")


def test_a_bot_can_be_paused_though_the_file_is_half_edited(
    tmp_path: Path, fleet: FleetCommands
) -> None:
    file = tmp_path / "bots.toml"
    file.write_text('state = "here"\n[[bots]]\ncapital = "hm"\n')
    assert main(["pause", "one", str(file), "--reason", "news"]) == exit_codes.ESCALATED
    name, told = fleet.told[0]
    assert (name, told.subject, told.reason, told.state) == (
        "pause",
        "one",
        "news",
        tmp_path / "here",
    )


def test_what_cannot_be_understood_is_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rnu"]) == exit_codes.BAD_INPUT
    assert capsys.readouterr().err == "shoal: unknown command 'rnu'; did you mean run?\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = (
        f"{sys.executable} -m actors check --keys | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(  # noqa: S603 -- our own command
        ["/bin/bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout.splitlines(), done.stderr) == (["# bots.toml, key by key", "0"], "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    typed = f"run --for 0.5 {write_sim_fleet(tmp_path)}"
    done = subprocess.run(  # noqa: S603 -- our own command
        ["/bin/bash", "-c", f"exec {sys.executable} -m actors {typed} {closed}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (exit_codes.OK, "")
    assert only(FleetStopped, facts_of(tmp_path / "var"))


def test_the_reference_of_keys_is_what_the_program_prints() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == reference()


def test_the_file_and_the_simulator_know_the_same_faults() -> None:
    assert (set(FAULTS), set(CONNECTIONS)) == (
        set(get_args(Kind)),
        set(get_args(Connection)),
    )
