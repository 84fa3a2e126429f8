"""The emergency file: in place, whole or not there, emptied without erasing."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Event

import pytest
import trio

from adapters.emergency_file import RECORD, SIZE, START, EmergencyFile, RecordFile
from adapters.files import StateUnusable

LEDGER = "0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "emergency-main"


def reopened(path: Path, ledger: str = LEDGER) -> list[bytes]:
    """Return what the next process finds."""
    file = RecordFile(path, ledger)
    try:
        return list(file.read())
    finally:
        file.close()


def test_what_was_appended_is_there_for_the_next_process(path: Path) -> None:
    file = RecordFile(path, LEDGER)
    file.append(b"one")
    file.append(b"two")
    assert reopened(path) == [b"one", b"two"]


def test_every_block_is_allocated_at_once_and_nobody_else_may_read(path: Path) -> None:
    RecordFile(path, LEDGER).close()
    found = path.stat()
    assert (found.st_size, stat.S_IMODE(found.st_mode)) == (SIZE, 0o600)
    assert found.st_blocks * 512 >= SIZE


def test_the_file_never_grows_and_says_when_it_is_full(path: Path) -> None:
    file = RecordFile(path, LEDGER)
    for _ in range(10):
        file.append(bytes(100_000))
    with pytest.raises(OSError, match="is full with 10 records"):
        file.append(bytes(100_000))
    assert path.stat().st_size == SIZE
    assert len(reopened(path)) == 10


@pytest.mark.parametrize("torn", range(1, RECORD.size + 3))
def test_a_torn_last_record_is_not_there_and_its_place_is_used_again(
    path: Path, torn: int
) -> None:
    file = RecordFile(path, LEDGER)
    file.append(b"one")
    end = START + RECORD.size + 3
    file.append(b"two")
    with path.open("r+b") as raw:  # only the first bytes of it reached the disk
        raw.seek(end + torn)
        raw.write(bytes(RECORD.size + 3 - torn))
    assert reopened(path) == [b"one"]
    file.read()
    file.append(b"three")
    assert reopened(path) == [b"one", b"three"]


def test_what_was_cleared_stays_away_though_its_bytes_are_there(path: Path) -> None:
    file = RecordFile(path, LEDGER)
    for record in (b"one", b"two", b"three"):
        file.append(record)
    assert file.clear(3)
    file.append(b"ONE")
    assert reopened(path) == [b"ONE"]


def test_nothing_is_cleared_that_was_not_read(path: Path) -> None:
    file = RecordFile(path, LEDGER)
    file.append(b"one")
    records = file.read()
    file.append(b"two")
    assert not file.clear(len(records))
    assert reopened(path) == [b"one", b"two"]


def test_a_torn_clear_leaves_what_was_there_before(path: Path) -> None:
    file = RecordFile(path, LEDGER)
    file.append(b"one")
    file.clear(1)
    file.append(b"two")
    file.clear(1)
    with path.open("r+b") as raw:  # the newest header: the third is in the second place
        raw.seek(512 + 20)
        raw.write(b"torn")
    assert reopened(path) == [b"two"]


def test_clears_may_go_on_for_ever(path: Path) -> None:
    file = RecordFile(path, LEDGER)
    for number in range(7):
        file.append(str(number).encode())
        assert reopened(path) == [str(number).encode()]
        file.clear(1)
        assert reopened(path) == []


def test_a_file_whose_making_was_interrupted_is_made_again(path: Path) -> None:
    path.write_bytes(bytes(5000))
    assert reopened(path) == []
    assert path.stat().st_size == SIZE


def test_a_damaged_file_is_kept_and_says_so(path: Path) -> None:
    path.write_bytes(b"what is this" * 1000)
    with pytest.raises(StateUnusable, match="is damaged: it is kept as it is"):
        RecordFile(path, LEDGER)


def test_records_of_another_ledger_are_never_taken(path: Path) -> None:
    RecordFile(path, LEDGER).append(b"one")
    with pytest.raises(StateUnusable, match="holds 1 records of another ledger"):
        RecordFile(path, "fedcba9876543210")
    assert reopened(path) == [b"one"]


def test_an_empty_file_of_another_ledger_is_this_ones_now(path: Path) -> None:
    RecordFile(path, "fedcba9876543210").close()
    RecordFile(path, LEDGER).append(b"one")
    assert reopened(path) == [b"one"]


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateUnusable):
        RecordFile(path, LEDGER)


def test_secrets_are_cleaned_out_of_what_is_written(path: Path) -> None:
    async def main() -> None:
        file = EmergencyFile(path, LEDGER, lambda raw: raw.replace(b"secret", b"***"))
        await file.append(b"a secret in an answer")

    trio.run(main)
    assert reopened(path) == [b"a *** in an answer"]


def test_a_disk_that_hangs_holds_up_nobody_and_may_take_the_record_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = Event()
    sync = os.fdatasync

    def hang(descriptor: int) -> None:
        goes_on.wait(10)
        sync(descriptor)

    async def main() -> list[bytes]:
        file = EmergencyFile(path, LEDGER)
        monkeypatch.setattr(os, "fdatasync", hang)
        with trio.move_on_after(0.05) as first:
            await file.append(b"late")
        with trio.move_on_after(0.05) as second:
            await file.append(b"never")
        assert first.cancelled_caught
        assert second.cancelled_caught
        goes_on.set()
        with trio.fail_after(5):
            return list(await file.read())

    assert trio.run(main) == [b"late"]
