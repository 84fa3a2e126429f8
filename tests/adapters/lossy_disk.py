"""A disk under real SQLite that forgets what was not synced when the power goes.

An apsw VFS over the machine's own files. What SQLite writes is seen by every reader at
once, as with a page cache; only `xSync` makes it survive `lose_power`, which keeps of the
rest nothing, a prefix, or any set of sectors, and then leaves plain files behind.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

import apsw
import attrs

SECTOR: Final = 512  # bytes that a disk writes whole or not at all
CREATE: Final = apsw.SQLITE_OPEN_CREATE
JOURNAL: Final = apsw.SQLITE_OPEN_MAIN_JOURNAL
WAL: Final = apsw.SQLITE_OPEN_WAL
_names = count(1)


@attrs.frozen
class Write:
    """One sector's worth of a write, or a new size where `data` is empty."""

    offset: int
    data: bytes


@attrs.define(eq=False)
class Medium:
    """What of one file is on the platter, and what the power would take."""

    platter: bytes | None  # None: there is no such file
    pending: list[Write] = attrs.Factory(list[Write])
    before_delete: bytes | None = None  # until the folder is synced

    def write(self, offset: int, data: bytes) -> None:
        while data:
            size = SECTOR - offset % SECTOR
            self.pending.append(Write(offset, data[:size]))
            offset, data = offset + size, data[size:]

    def resize(self, size: int) -> None:
        self.pending.append(Write(size, b""))

    def delete(self) -> None:
        if self.before_delete is None:
            self.before_delete = self.platter
        self.platter, self.pending = None, []

    def sync(self) -> None:
        self.platter, self.pending = applied(self.platter or b"", self.pending), []

    def lose(self, chance: random.Random) -> bytes | None:
        """Return what is left of the file; None when there is none any more."""
        if self.before_delete is not None and chance.random() < 0.5:
            return self.before_delete
        kept = self.pending
        match chance.choice(["nothing", "prefix", "some", "all"]):
            case "nothing":
                kept = []
            case "prefix":
                kept = kept[: chance.randint(0, len(kept))]
            case "some":
                kept = [each for each in kept if chance.random() < 0.5]
            case _:
                pass
        if self.platter is None and not kept:
            return None
        return applied(self.platter or b"", kept)


def applied(content: bytes, writes: list[Write]) -> bytes:
    """Return a file's content after these writes."""
    after = bytearray(content)
    for write in writes:
        end = write.offset + len(write.data)
        if len(after) < end:
            after.extend(bytes(end - len(after)))
        if write.data:
            after[write.offset : end] = write.data
        else:
            del after[write.offset :]
    return bytes(after)


@attrs.define(eq=False)
class LossyDisk:
    """The files of one folder. `cut_after` more changes of them, the power goes."""

    chance: random.Random
    cut_after: int | None = None
    sync_fails: float = 0.0  # how often a sync is answered with an error, and is none
    media: dict[str, Medium] = attrs.Factory(dict[str, Medium])
    name: str = attrs.Factory(lambda: f"lossy{next(_names)}")
    is_off: bool = False
    is_buried: bool = False  # nobody is left: what the dead process still does is nothing
    syncs: int = 0
    _vfs: Any = None  # registered as long as it lives

    def __attrs_post_init__(self) -> None:
        self._vfs = _Vfs(self)

    def medium(self, path: str) -> Medium:
        if path not in self.media:
            self.media[path] = Medium(Path(path).read_bytes() or None)
        return self.media[path]

    def sync_folder(self) -> None:
        """Make it final which files there are."""
        for medium in self.media.values():
            medium.before_delete = None

    def change(self, act: Callable[[], None]) -> bool:
        """Do one change of a file; tell whether it is to be done at all.

        Raises:
          IOError: of SQLite: the power is off.
        """
        if self.is_buried:
            return False
        if self.cut_after is not None:
            self.is_off = self.is_off or self.cut_after <= 0
            self.cut_after -= 1
        if self.is_off:
            raise apsw.IOError("the power is off")
        act()
        return True

    def lose_power(self) -> None:
        """Leave on the machine's disk what the platter has; then the disk is as new."""
        for path, medium in self.media.items():
            left = medium.lose(self.chance)
            if left is None:
                Path(path).unlink(missing_ok=True)
            else:
                Path(path).write_bytes(left)
            Path(f"{path}-shm").unlink(missing_ok=True)
        self.media.clear()
        self.is_off = self.is_buried = False
        self.cut_after = None


class _Vfs(apsw.VFS):
    def __init__(self, disk: LossyDisk) -> None:
        self.disk = disk
        super().__init__(disk.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 -- SQLite's name
        return _File(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 -- SQLite's own
        def delete() -> None:
            self.disk.medium(filename).delete()
            if syncdir:
                self.disk.sync_folder()

        if self.disk.change(delete):
            super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: LossyDisk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        disk.medium(self.path)
        self.syncs_folder = bool(flags[0] & CREATE and flags[0] & (JOURNAL | WAL))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- SQLite's name
        content = bytes(data)
        medium = self.disk.medium(self.path)
        if self.disk.change(lambda: medium.write(offset, content)):
            inherited: Any = super()
            inherited.xWrite(content, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- SQLite's name
        medium = self.disk.medium(self.path)
        if self.disk.change(lambda: medium.resize(newsize)):
            super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 -- SQLite's name
        disk = self.disk
        is_failing = not disk.is_buried and disk.chance.random() < disk.sync_fails
        if is_failing:
            raise apsw.IOError("the disk cannot sync")
        disk.syncs += disk.change(self._sync)

    def _sync(self) -> None:
        """As SQLite's own VFS: a journal's first sync is one of its folder, too."""
        self.disk.medium(self.path).sync()
        if self.syncs_folder:
            self.disk.sync_folder()
            self.syncs_folder = False
