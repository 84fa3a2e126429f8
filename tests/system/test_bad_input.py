"""What cannot be used is refused before anything runs: one clear line, exit code 2."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.exit_codes import BAD_INPUT
from actors.fleet_settings import fingerprint
from actors.pure.config import Mode
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.writer import LedgerFile
from tests.system.fleet_desk import (
    shoal,
    write_strategy,
)
from tests.system.processes import CHURN, KEY, SECRET, Sim, running_sim, write_live_fleet

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with running_sim() as sim:
        yield sim


@pytest.fixture
def file(tmp_path: Path, sim: Sim) -> Path:
    """A bots.toml that would trade live on the simulated exchange."""
    return write_live_fleet(tmp_path, sim)


def refused(file: Path, **environment: str) -> str:
    """Return the one line that `shoal run --live` refuses with."""
    done = shoal("run", str(file), "--live", **{**KEYS, **environment})
    assert (done.returncode, done.stdout) == (BAD_INPUT, ""), done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr.removesuffix("\n")


def change(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def test_a_ledger_of_a_newer_version_is_left_alone(file: Path) -> None:
    ledger = ledger_of(file)
    with sqlite3.connect(ledger) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = ledger.read_bytes()
    assert refused(file) == (
        f"{ledger} is a ledger of version 99, written by a newer Shoal; this one reads up "
        "to 1: update Shoal or choose another state"
    )
    assert ledger.read_bytes() == before


def test_a_ledger_of_another_mode_is_left_alone(file: Path) -> None:
    ledger = ledger_of(file, mode="sim")
    assert refused(file) == (
        f"{ledger} is the ledger of mode sim, not live: choose another state"
    )


def test_a_ledger_of_another_account_is_left_alone(file: Path) -> None:
    ledger = ledger_of(file, **{"account main": "0123456789abcdef"})
    assert refused(file) == (
        f"{ledger} is the ledger of another key than account main has now: put the old key"
        " back; to change keys, flatten the account with the old one, then choose another"
        " state"
    )


def test_an_account_that_was_renamed_is_refused_and_its_ledger_left_alone(
    file: Path,
) -> None:
    """Under the new name nobody would guard what is held under the old one."""
    print_ = fingerprint("binance", Mode.LIVE, KEY)
    ledger = ledger_of(file, **{"account trading": print_})
    assert refused(file) == (
        f"{ledger} knows the account of [accounts.main] as trading: call it trading again;"
        " to rename it, flatten it as trading, then choose another state"
    )
    with Ledger(ledger) as kept:
        assert "account main" not in kept.meta()


def test_a_damaged_ledger_is_kept_and_nothing_trades(file: Path) -> None:
    ledger = ledger_of(file)
    damaged = bytearray(ledger.read_bytes())
    damaged[4096:8192] = b"\x2a" * 4096
    ledger.write_bytes(damaged)
    said = refused(file)
    assert said.startswith(f"{ledger} is damaged (")
    assert said.endswith("what can be read in its place")
    assert ledger.read_bytes() == bytes(damaged)


def ledger_of(file: Path, **identity: str) -> Path:
    """Write the ledger that the fleet would find; return where it is."""
    folder = file.parent / "var" / "live"
    folder.mkdir(parents=True)
    path = folder / "ledger.db"
    LedgerFile(path, {"mode": "live", **identity}).close()
    return path


def test_a_missing_key_is_named(file: Path) -> None:
    assert refused(file, SHOAL_TEST_KEY="") == "env:SHOAL_TEST_KEY is empty or not set"


@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o644, "must be readable by you alone: chmod 600"), (0o600, "")],
)
def test_a_key_file_that_others_could_read_is_refused(
    file: Path, mode: int, said: str
) -> None:
    secret = file.parent / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(mode)
    change(file, "env:SHOAL_TEST_SECRET", f"file:{secret}")
    if said:
        assert f"file:{secret}" in refused(file)
    else:
        done = shoal("run", str(file), "--live", "--for", "0.2", **KEYS)
        assert done.returncode == 0


def test_a_key_goes_to_no_foreign_host(file: Path) -> None:
    change(file, "send_keys_to_this_host = true\n", "")
    done = shoal("run", str(file), "--live", **KEYS)
    assert done.returncode == BAD_INPUT
    assert "send_keys_to_this_host = true" in done.stderr


def test_a_symbol_that_the_exchange_does_not_list_is_named_with_the_nearest(
    file: Path,
) -> None:
    change(file, "ETH/USDT", "ETHH/USDT")
    assert refused(file) == (
        "bot churn-1: binance does not list ETHH/USDT; did you mean ETH/USDT?"
    )


def test_a_strategy_that_others_could_write_is_not_run(file: Path) -> None:
    path = file.parent / "strategies" / "churn.py"
    path.chmod(path.stat().st_mode | 0o022)
    assert refused(file) == (
        f"bot churn-0: {path} must be yours and not writable by others"
    )


def test_a_strategy_that_cannot_be_built_is_named(file: Path) -> None:
    write_strategy(
        file.parent,
        "churn",
        CHURN.replace("candles_min = 0", "def __init__(self): {}['slow']"),
    )
    assert refused(file) == ("bot churn-0: KeyError: 'slow' in strategies/churn.py:7")


def test_a_strategy_that_is_not_there_is_named(file: Path) -> None:
    (file.parent / "strategies" / "churn.py").unlink()
    assert refused(file) == (
        f"bot churn-0: churn:Churn: there is no {file.parent}/strategies/churn.py"
    )
