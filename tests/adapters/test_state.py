"""A run keeps its ledger to itself, and the newest one is found again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from adapters.files import LOCK, StateUnusable, held_folder
from adapters.state import CURRENT, LEDGER, newest_ledger, remember_run, run_folder
from tests.adapters.full_disk import full_disk


def test_each_simulated_run_has_a_ledger_of_its_own(tmp_path: Path) -> None:
    assert run_folder(tmp_path, "sim", "aa") != run_folder(tmp_path, "sim", "bb")


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_real_modes_keep_one_ledger_each(tmp_path: Path, mode: str) -> None:
    assert run_folder(tmp_path, mode, "aa") == run_folder(tmp_path, mode, "bb")


def test_no_two_modes_share_a_ledger(tmp_path: Path) -> None:
    """S-15."""
    folders = {run_folder(tmp_path, mode, "aa") for mode in ("sim", "paper", "live")}
    assert len(folders) == 3


def test_folders_are_private(tmp_path: Path) -> None:
    """S-13."""
    folder = run_folder(tmp_path, "paper", "aa")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_newest_ledger_is_the_one_remembered_last(tmp_path: Path) -> None:
    for execution in ("aa", "bb"):
        folder = run_folder(tmp_path, "sim", execution)
        (folder / LEDGER).touch()
        remember_run(tmp_path, folder)
    assert newest_ledger(tmp_path) == folder / LEDGER
    assert stat.S_IMODE((tmp_path / CURRENT).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"gone", b"\xff\xfe", b"../../etc", b"."])
def test_what_names_no_ledger_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CURRENT).write_bytes(content)
    assert newest_ledger(tmp_path) is None


def test_a_full_disk_keeps_no_fleet_from_starting_again(tmp_path: Path) -> None:
    """D-2: after a kill -9 the ledger opens, and what is held must be guarded."""
    folder = run_folder(tmp_path, "live", "aa")
    (folder / LEDGER).touch()
    remember_run(tmp_path, folder)
    with full_disk(), held_folder(tmp_path):
        remember_run(tmp_path, folder)
    assert newest_ledger(tmp_path) == folder / LEDGER


def test_a_new_name_that_a_full_disk_does_not_take_is_one_line(tmp_path: Path) -> None:
    remember_run(tmp_path, run_folder(tmp_path, "sim", "aa"))
    folder = run_folder(tmp_path, "live", "bb")
    with full_disk(), pytest.raises(StateUnusable, match=f"{CURRENT} cannot be written"):
        remember_run(tmp_path, folder)


def test_a_lock_keeps_no_more_than_the_name_of_its_last_holder(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("1234567890123\n")
    with held_folder(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_before_the_first_run_there_is_none(tmp_path: Path) -> None:
    assert newest_ledger(tmp_path / "nowhere") is None
