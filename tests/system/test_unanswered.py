"""What the command line says of a fleet that runs and does not answer at its desk."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors import exit_codes
from actors.__main__ import main
from actors.messages import Fact, FleetStarted, FleetStopped
from actors.ports_store import Row
from actors.pure.facts import encode, kind_of
from adapters import control
from adapters.control import SOCKET
from adapters.files import held_folder, prepare_folder
from adapters.sqlite.writer import LedgerFile
from adapters.state import LEDGER, remember_run, run_folder

STARTED = FleetStarted("run-1", "live", ("dawn",), "0.1.0", (), ("binance:BTC/USDT",))
SILENT = f"pid {os.getpid()}) does not answer"


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The command makes all that follows private; the other tests are not its own."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file whose fleet began and said no goodbye."""
    path = tmp_path / "bots.toml"
    path.write_text('state = "var"\n')
    prepare_folder(tmp_path / "var")
    tell(tmp_path / "var", STARTED)
    return path


def tell(state: Path, fact: Fact) -> None:
    folder = run_folder(state, "live", "e")
    ledger = LedgerFile(folder / LEDGER, {})
    ledger.append([Row(kind_of(type(fact)), None, "", "", "", 1, 2, encode(fact))])
    ledger.close()
    remember_run(state, folder)


@pytest.fixture
def held(file: Path) -> Iterator[Path]:
    with held_folder(file.parent / "var"):
        yield file


@pytest.fixture
def deaf(held: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fleet that does not turn: it is asked, and says nothing."""
    monkeypatch.setattr(control, "ANSWER_S", 0.1)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(held.parent / "var" / SOCKET))
        listening.listen()
        yield held


def test_a_fleet_that_runs_without_a_desk_is_not_said_to_have_ended(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", str(held)]) == exit_codes.OK
    first = capsys.readouterr().out.splitlines()[0]
    assert "running, but it does not answer" in first
    assert "without a goodbye" not in first


def test_a_machine_hears_that_it_runs(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status", "--json", str(held)])
    run = msgspec.json.decode(capsys.readouterr().out)["run"]
    assert (run["is_running"], run["is_answering"], run["ended"]) == (True, False, "")


def test_a_run_that_was_killed_has_ended(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with held_folder(file.parent / "var"):
        pass  # its process is another's now, and nobody holds the folder
    main(["status", str(file)])
    assert "ended: without a goodbye" in capsys.readouterr().out


def test_a_run_that_said_goodbye_has_ended_though_the_next_begins(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(held.parent / "var", FleetStopped("run-1", "told to stop"))
    main(["status", str(held)])
    assert "ended: told to stop" in capsys.readouterr().out


def test_a_command_that_no_desk_took_was_not_done(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["halt", "main", str(held)]) == exit_codes.BAD_INPUT
    said = capsys.readouterr().err
    assert (SILENT in said, "nothing was done" in said) == (True, True)
    assert "shoal run" not in said


def test_a_command_that_was_heard_may_still_be_done(
    deaf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flatten", "main", str(deaf), "--yes"]) == exit_codes.BAD_INPUT
    said = capsys.readouterr().err
    assert (SILENT in said, "it may still be done" in said) == (True, True)
    assert "shoal run" not in said


def test_where_nothing_runs_a_command_says_how_to_start_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["halt", "main", str(file)]) == exit_codes.BAD_INPUT
    assert "start it with `shoal run" in capsys.readouterr().err


@pytest.mark.parametrize("typed", [["status"], ["status", "--owner", "ann"], ["orders"]])
def test_a_house_whose_ledger_is_gone_hides_no_owner(
    tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder(prepare_folder(tmp_path / "var"), "live", "e")
    ann = prepare_folder(folder / "owners" / "ann") / LEDGER
    LedgerFile(ann, {}).close()
    house = folder / "house" / LEDGER
    remember_run(tmp_path / "var", folder, {"": house, "ann": ann})
    file = tmp_path / "bots.toml"
    file.write_text('state = "var"\n')
    assert main([*typed, str(file)]) == exit_codes.OK
    assert capsys.readouterr().err == "the house's ledger of the newest run is not there\n"
