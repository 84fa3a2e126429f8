"""The state folder: private, and of one shoal at a time.

Everything here is quick and blocks: call it before the fleet runs, or from a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
LOCK = "lock"


class StateUnusable(Exception):
    """The state folder, or something in it, cannot be used; one line for the operator."""


def be_private() -> None:
    """Let nothing this process creates be readable by others (S-13). Call it first."""
    os.umask(0o077)


def prepare_folder(folder: Path) -> Path:
    """Return `folder`, made or found, ours and closed to others.

    Raises:
      StateUnusable: it cannot be made, is no folder, or is somebody else's.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_uid != os.geteuid():
            raise StateUnusable(f"{folder} belongs to another user: choose another state")
        if stat.S_IMODE(found.st_mode) != PRIVATE_FOLDER:
            folder.chmod(PRIVATE_FOLDER)
    except FileExistsError:
        raise StateUnusable(f"{folder} is not a folder: choose another state") from None
    except OSError as error:
        raise StateUnusable(f"{folder} cannot be used: {error.strerror}") from error
    return folder


@contextmanager
def held_folder(folder: Path) -> Generator[None]:
    """Keep every other shoal out of `folder` (R-45); the lock dies with the process.

    Raises:
      StateUnusable: another shoal has it.
    """
    with held(folder / LOCK, said=f"uses {folder}: stop it or choose another state"):
        yield


@contextmanager
def held(path: Path, *, said: str) -> Generator[None]:
    """Hold a lock file, say of one account on this machine; it names our process.

    Raises:
      StateUnusable: "another shoal (pid N)" and then what `said` says.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    except OSError as error:
        raise StateUnusable(f"{path} cannot be locked: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
            raise StateUnusable(f"another shoal (pid {holder}) {said}") from None
        _sign(lock)
        yield
    finally:
        os.close(lock)  # the file stays: removing it would let two hold one name


def _sign(lock: int) -> None:
    """Write our process into a lock that is ours whether or not a full disk takes it.

    In place: on a full disk the room of what is cut off first is not ours again.
    """
    name = f"{os.getpid()}\n".encode()
    with suppress(OSError):
        os.ftruncate(lock, os.pwrite(lock, name, 0))


def holder_of(folder: Path) -> str:
    """Return the process id of the shoal that holds `folder` now, "" where none does."""
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        holder = os.read(lock, 20).decode("ascii", "replace").strip()
        if _is_alive(holder):  # else a start at this moment would find the lock taken
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                holder = ""
            return holder
    finally:
        os.close(lock)
    return ""


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def create_private(path: Path) -> bool:
    """Create an empty file of mode 0600, or close a found one; return whether it is new.

    SQLite gives its -wal and -shm files the mode of the file itself (S-13).
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    is_new = not path.exists()
    descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        os.fchmod(descriptor, PRIVATE_FILE)
    finally:
        os.close(descriptor)
    return is_new


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by a file of mode 0600: whole and on the disk, or as it was."""
    descriptor, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(path.parent)


def overwrite(path: Path, content: bytes) -> None:
    """Put `content` in the place of as many bytes, which takes no room on the disk.

    Raises:
      OSError: there is no file of that size, or the disk does not take it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size != len(content):
            raise OSError(errno.ENOSPC, f"{path} is of another size")
        if os.pwrite(descriptor, content, 0) != len(content):
            raise OSError(errno.EIO, f"{path} took a part only")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make names created or replaced in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot, and need not
            raise
    finally:
        os.close(descriptor)
