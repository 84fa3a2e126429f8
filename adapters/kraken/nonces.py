"""Numbers that only rise, for one key, over processes and steps of the clock (R-30).

Nanoseconds of the wall clock, or one more than the last where that stood still or went
back. What may have been used is remembered before it is, a minute's worth at once. A disk
that takes nothing holds up no exit (D-2): only where the clock is set back as well does the
next process begin too low, and leaps once the venue says so.

Source: docs.kraken.com, "Spot REST Authentication" (nonce), 2026-05-27.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

import attrs

from actors.ports import WallClock
from adapters.files import StateUnusable, overwrite, write_private

AHEAD: Final = 60 * 10**9  # remembered at once
AGAIN: Final = 10**9  # after one that could not be remembered, until it is tried again
LEAP: Final = 10**9  # doubled each time that the venue finds a nonce too low
LEAP_MAX: Final = 3600 * 10**9


class NonceMemory(Protocol):
    """Where the highest nonce is kept that a process may have used."""

    def look(self) -> int: ...

    def keep(self, nonce: int) -> None:
        """Remember; it is on the disk when this returns.

        Raises:
          OSError: it could not be remembered.
        """
        ...


@attrs.define(eq=False)
class RamNonces:
    """Forgets with the process: for a venue that does too."""

    highest: int = 0

    def look(self) -> int:
        return self.highest

    def keep(self, nonce: int) -> None:
        self.highest = nonce


@attrs.define(eq=False)
class NonceFile:
    """A file of mode 0600. Only whoever holds the lock of the account writes it."""

    _path: Path

    def look(self) -> int:
        """Return the highest nonce.

        Raises:
          StateUnusable: there is a file, and it does not tell one.
        """
        try:
            text = self._path.read_text("ascii").strip()
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as error:
            raise StateUnusable(f"{self._path} cannot be read: {error}") from error
        if not text.isdecimal() or len(text) > 20:
            raise StateUnusable(f"{self._path} holds no nonce")
        return int(text)

    def keep(self, nonce: int) -> None:
        """Remember; a full disk has room for it in the place of the last one (D-2).

        Raises:
          OSError: it is not on the disk.
        """
        content = f"{nonce}\n".encode()
        try:
            write_private(self._path, content)
        except OSError:
            overwrite(self._path, content)


class Nonces:
    """The nonces of one key."""

    def __init__(self, clock: WallClock, memory: NonceMemory | None = None) -> None:
        self._clock = clock
        self._memory = memory or RamNonces()
        self._last = self._enough = self._memory.look()
        self._leap = LEAP

    def next(self) -> int:
        """Return a nonce higher than every one before, in this life and all others."""
        nonce = max(self._clock.now_ms() * 10**6, self._last + 1)
        if nonce > self._enough:
            self._enough = self._remembered(nonce)
        self._last = nonce
        return nonce

    def _remembered(self, nonce: int) -> int:
        """Remember more than this one, and return up to which that will do."""
        try:
            self._memory.keep(nonce + AHEAD)
        except OSError:
            return nonce + AGAIN
        return nonce + AHEAD

    def leap(self) -> None:
        """Go on much higher: the venue has seen a higher one than this."""
        self._last += self._leap
        self._leap = min(self._leap * 2, LEAP_MAX)
