"""The state folder: private, and of one shoal at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.files import (
    StateUnusable,
    be_private,
    held,
    held_folder,
    prepare_folder,
    write_private,
)

HOLDER = """
import sys
from pathlib import Path
from adapters.files import held_folder
with held_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private_with_its_parents(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        be_private()
        folder = prepare_folder(tmp_path / "var" / "sim")
    finally:
        os.umask(before)

    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)


def test_an_open_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    folder.chmod(0o755)
    prepare_folder(folder)

    assert mode(folder) == 0o700


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")

    with pytest.raises(StateUnusable, match="var is not a folder"):
        prepare_folder(tmp_path / "var")


def test_a_file_above_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")

    with pytest.raises(StateUnusable, match="cannot be used: Not a directory"):
        prepare_folder(tmp_path / "var" / "sim")


def test_a_folder_in_use_by_another_process_is_refused_with_its_pid(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 -- ourselves
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(StateUnusable) as refused, held_folder(tmp_path):
            pass
        holder.kill()

    assert str(refused.value) == (
        f"another shoal (pid {holder.pid}) uses {tmp_path}: stop it or choose another state"
    )
    with held_folder(tmp_path):  # a killed holder holds nothing
        pass


def test_a_held_name_is_free_again_after_the_block(tmp_path: Path) -> None:
    with held(tmp_path / "account", said="trades on it"):
        pass
    with held(tmp_path / "account", said="trades on it"):
        assert (tmp_path / "account").read_text() == f"{os.getpid()}\n"


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")

    with (
        pytest.raises(StateUnusable, match="cannot be locked"),
        held_folder(tmp_path),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")

    assert (path.read_bytes(), mode(path), len(list(tmp_path.iterdir()))) == (
        b"new",
        0o600,
        1,
    )


def test_a_file_that_cannot_be_replaced_stays_and_leaves_no_litter(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(OSError, match="token"):
        write_private(tmp_path / "token", b"new")

    assert [each.name for each in tmp_path.iterdir()] == ["token"]
