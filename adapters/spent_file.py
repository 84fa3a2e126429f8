"""Keep `Spent` in a small file of mode 0600 that all our processes on this machine share.

One that is missing or unreadable is no answer: the gate then asks the venue first what was
used. A disk that fails costs the memory of this process only; trading goes on.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from adapters.files import PRIVATE_FILE
from adapters.spent import Change, Spent

LOCK_TRIES: Final = 20  # of a millisecond each; a holder needs a tenth of one
SIZE_MAX: Final = 65_536

_decoder = msgspec.json.Decoder(Spent)


class SpentFile:
    """Implements `Memory`. Every call takes a fraction of a millisecond."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None  # of what was read last
        self._last: Spent | None = None

    def look(self) -> Spent | None:
        """Return what is in the file, read anew only where it has changed."""
        try:
            found = self._path.stat()
        except OSError:
            return self._last
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._stamp, self._last = stamp, self._read() or self._last
        return self._last

    def change(self, how: Change, *, must_last: bool = False) -> Spent:
        """Replace the file by what `how` makes of it."""
        with self._alone():
            self._last = how(self.look() or Spent())
            # A full disk: this process remembers, the next one may not.
            with suppress(OSError):
                self._write(msgspec.json.encode(self._last), must_last=must_last)
        return self._last

    def _read(self) -> Spent | None:
        try:
            with self._path.open("rb") as file:
                return _decoder.decode(file.read(SIZE_MAX))
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return None

    def _write(self, content: bytes, *, must_last: bool) -> None:
        new = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(new, flags, PRIVATE_FILE)
        try:
            os.write(descriptor, content)
            if must_last:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(new, self._path)
        found = self._path.stat()
        self._stamp = (found.st_ino, found.st_mtime_ns, found.st_size)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Keep other processes out; one that sleeps with the lock is not waited for."""
        try:
            lock = os.open(
                self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, PRIVATE_FILE
            )
        except OSError:
            yield
            return
        try:
            for _ in range(LOCK_TRIES):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(0.001)
                else:
                    break
            yield
        finally:
            os.close(lock)
