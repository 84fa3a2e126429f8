"""The emergency file: durable records in blocks that were allocated while there was room.

What an exit needs to have on the disk goes here while the ledger takes nothing (D-2, I-2).
The file is written in place, so a full disk cannot refuse it; each record carries its
length and a checksum, so that a torn last one is recognised; and it is emptied by counting
up a generation, so that nothing has to be erased. Like SQLite (psow.html) it trusts that
overwriting some bytes does not damage their neighbours.

    0     two headers, 512 bytes apart, written in turn: magic, generation, ledger, checksum
    4096  records: length, generation, checksum, bytes
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from zlib import crc32

import trio

from adapters.files import StateUnusable, create_private, sync_folder

SIZE: Final = 1 << 20  # some 700 exits with what became of them
START: Final = 4096
HEADERS: Final = (0, 512)
MAGIC: Final = b"shoalEF1"
HEADER: Final = struct.Struct("<8sQ32s")  # then its checksum
CHECKSUM: Final = struct.Struct("<I")
RECORD: Final = struct.Struct("<IQI")


class EmergencyFile:
    """One file, whose blocking work is done in a thread, one call after the other.

    A disk that hangs keeps a thread, never the caller: whoever gives up waiting knows
    nothing, and the record may still be there later (`actors.ports_disk.EmergencyFile`).
    """

    def __init__(
        self, path: Path, ledger: str, clean: Callable[[bytes], bytes] = bytes
    ) -> None:
        """Open the file of one ledger, made or found. This blocks.

        Raises:
          StateUnusable: it cannot be made, is damaged, or is another ledger's.
        """
        self._file = RecordFile(path, ledger)
        self._clean = clean
        self._turn = trio.CapacityLimiter(1)  # kept by a thread that hangs

    async def append(self, record: bytes) -> None:
        """Return once `record` is on the disk.

        Raises:
          OSError: it is not: the disk cannot write, or the file is full.
        """
        cleaned = self._clean(record)
        await trio.to_thread.run_sync(
            self._file.append, cleaned, abandon_on_cancel=True, limiter=self._turn
        )

    async def read(self) -> Sequence[bytes]:
        """Return the records, oldest first.

        Raises:
          OSError: the disk cannot read.
        """
        return await trio.to_thread.run_sync(
            self._file.read, abandon_on_cancel=True, limiter=self._turn
        )

    async def clear(self, count: int) -> bool:
        """Forget everything if there are still `count` records; tell whether there were.

        Raises:
          OSError: the disk cannot write; what is forgotten may come back at a start.
        """
        return await trio.to_thread.run_sync(
            self._file.clear, count, abandon_on_cancel=True, limiter=self._turn
        )

    def close(self) -> None:
        """Close the file, unless a thread still hangs in it."""
        if not self._turn.borrowed_tokens:
            self._file.close()


class RecordFile:
    """The file itself, for one thread at a time."""

    def __init__(self, path: Path, ledger: str) -> None:
        self.path = path
        self._ledger = ledger.encode().ljust(32, b"\0")
        self._generation = 0
        self._is_header_due = False  # a header could not be written: before all else
        self._end, self._count = START, 0
        try:
            create_private(path)
            self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            with ExitStack() as unless_read:
                unless_read.callback(os.close, self._descriptor)
                self._open()
                unless_read.pop_all()
        except OSError as error:
            raise StateUnusable(f"{path} cannot be used: {error.strerror}") from error

    def append(self, record: bytes) -> None:
        """Write one record behind the others."""
        if self._is_header_due:
            self._write_header()
        head = RECORD.pack(len(record), self._generation, self._sum(record))
        if self._end + len(head) + len(record) > SIZE:
            what = f"{self.path} is full with {self._count} records"
            raise OSError(errno.ENOSPC, what)
        self._write(self._end, head + record)
        self._end += len(head) + len(record)
        self._count += 1

    def read(self) -> Sequence[bytes]:
        """Return what is there, as the disk has it."""
        data = os.pread(self._descriptor, SIZE - START, START)
        records: list[bytes] = []
        at = 0
        while (record := self._record(data, at)) is not None:
            records.append(record)
            at += RECORD.size + len(record)
        self._end, self._count = START + at, len(records)
        return records

    def clear(self, count: int) -> bool:
        """Begin a new generation, unless there is more than `count`."""
        if count != self._count:
            return False
        self._generation += 1
        self._end, self._count, self._is_header_due = START, 0, True
        self._write_header()
        return True

    def close(self) -> None:
        os.close(self._descriptor)

    def _open(self) -> None:
        found = [self._header(at) for at in HEADERS]
        valid = [each for each in found if each is not None]
        if not valid:
            if any(os.pread(self._descriptor, START, 0)):
                raise StateUnusable(
                    f"{self.path} is damaged: it is kept as it is; move it away once you"
                    " know that the exchange has no order which the ledger lacks"
                )
            self._allocate()
            return
        self._generation, ledger = max(valid)
        records = self.read()
        if ledger != self._ledger:
            if records:
                raise StateUnusable(
                    f"{self.path} holds {len(records)} records of another ledger: put its"
                    " ledger back, or move the file away"
                )
            self.clear(0)

    def _allocate(self) -> None:
        """Write zeros, so that every block is there when the disk is full."""
        os.ftruncate(self._descriptor, 0)
        self._write(0, bytes(SIZE))
        self._generation = 1
        self._write_header()
        sync_folder(self.path.parent)

    def _header(self, at: int) -> tuple[int, bytes] | None:
        """Return generation and ledger of one header, None where it is not whole."""
        raw = os.pread(self._descriptor, HEADER.size + CHECKSUM.size, at)
        if len(raw) < HEADER.size + CHECKSUM.size:
            return None
        magic, generation, ledger = HEADER.unpack_from(raw)
        (told,) = CHECKSUM.unpack_from(raw, HEADER.size)
        is_whole = magic == MAGIC and told == crc32(raw[: HEADER.size])
        return (generation, ledger) if is_whole else None

    def _write_header(self) -> None:
        raw = HEADER.pack(MAGIC, self._generation, self._ledger)
        at = HEADERS[self._generation % len(HEADERS)]
        self._write(at, raw + CHECKSUM.pack(crc32(raw)))
        self._is_header_due = False

    def _record(self, data: bytes, at: int) -> bytes | None:
        """Return the record at a place, None where there is none of this generation."""
        if at + RECORD.size > len(data):
            return None
        length, generation, told = RECORD.unpack_from(data, at)
        record = data[at + RECORD.size : at + RECORD.size + length]
        is_whole = generation == self._generation and len(record) == length > 0
        return record if is_whole and told == self._sum(record) else None

    def _sum(self, record: bytes) -> int:
        return crc32(record, self._generation & 0xFFFFFFFF)

    def _write(self, at: int, data: bytes) -> None:
        """Write all of it and wait for the disk."""
        done = 0
        while done < len(data):
            done += os.pwrite(self._descriptor, data[done:], at + done)
        full_sync = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: others stop at its cache
        if full_sync is not None:
            fcntl.fcntl(self._descriptor, full_sync)
        else:
            os.fdatasync(self._descriptor)
