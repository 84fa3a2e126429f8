"""How much room the disk has left for the ledger."""

from __future__ import annotations

import os
from pathlib import Path

import trio


class DiskSpace:
    """The free space where one folder is (`actors.ports_disk.Space`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = trio.CapacityLimiter(1)  # kept by a thread that hangs

    async def free_bytes(self) -> int:
        """Return what a program without privileges may still write.

        Raises:
          OSError: the folder is gone, or its disk cannot say.
        """
        found = await trio.to_thread.run_sync(
            os.statvfs, self._folder, abandon_on_cancel=True, limiter=self._turn
        )
        return found.f_bavail * found.f_frsize
