"""What actors need of the disk besides the ledger: a file for emergencies, and its room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class EmergencyFile(Protocol):
    """What is durable while the ledger takes nothing: fixed in size, of one account.

    Whoever gives up waiting knows nothing: a record may be there later.
    """

    async def append(self, record: bytes) -> None:
        """Return once `record` is on the disk, whole.

        Raises:
          OSError: it is not, and will not be unless a later `read` finds it.
        """
        ...

    async def read(self) -> Sequence[bytes]:
        """Return the records, oldest first.

        Raises:
          OSError: the disk cannot read.
        """
        ...

    async def clear(self, count: int) -> bool:
        """Forget everything if there are still `count` records; tell whether there were.

        Raises:
          OSError: it may come back at the next start.
        """
        ...


class Space(Protocol):
    async def free_bytes(self) -> int:
        """Return how much may still be written where the ledger is.

        Raises:
          OSError: nobody knows.
        """
        ...
