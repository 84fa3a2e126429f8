"""The operators' desk: questions to a running fleet over a 0600 Unix socket (S-5).

One line of JSON in, one line of JSON out. The folder it lies in is 0700, so whoever may
speak here may read the ledger anyway.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import trio

from actors.messages import Asked
from adapters.files import holder_of

SOCKET: Final = "control.sock"
LINE_BYTES_MAX: Final = 16 * 1024
LINE_S: Final = 5.0
ANSWER_S: Final = 10.0
CREDENTIALS: Final = struct.Struct("3i")  # pid, uid and gid, as the kernel tells them
PATH_BYTES_MAX: Final = 100  # of a socket's name; the kernel's limit is 108 or 104

Ask = Callable[[Asked], Awaitable[Mapping[str, Any]]]


class FleetNotRunning(Exception):
    """Nobody answers at the desk of this state folder, though a shoal may hold it."""

    def __init__(self, said: str, *, holder: str = "", is_heard: bool = False) -> None:
        super().__init__(said)
        self.holder = holder  # its process, "" where none holds the folder
        self.is_heard = is_heard  # what was asked may have reached it


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What `Asked` is on the wire. Who asks is told by the socket, not by the asker."""

    verb: str
    subject: str = ""
    reason: str = ""
    key: str = ""
    bot: str = ""
    outcome: str = ""
    price: str = ""
    is_blind: bool = False
    is_sure: bool = False


@attrs.frozen
class ControlDesk:
    """Serves the socket in one state folder (`actors.ports.Desk`)."""

    folder: Path
    clean: Callable[[bytes], bytes] = bytes  # takes secrets out of answers

    async def serve(self, ask: Ask) -> None:
        """Answer operators until cancelled. Two at once are answered at once."""

        async def answer(stream: trio.SocketStream) -> None:
            await _answer(stream, ask, self.clean)

        path = self.folder / SOCKET
        with suppress(FileNotFoundError):
            path.unlink()  # left by a kill -9; the folder's lock says that it is ours
        with _short(self.folder) as folder, trio.socket.socket(socket.AF_UNIX) as listening:
            await listening.bind(f"{folder}/{SOCKET}")
            path.chmod(0o600)
            listening.listen(16)
            try:
                await trio.serve_listeners(answer, [trio.SocketListener(listening)])
            finally:
                path.unlink(missing_ok=True)


async def _answer(
    stream: trio.SocketStream, ask: Ask, clean: Callable[[bytes], bytes]
) -> None:
    async with stream:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            line = await _line(stream)
            try:
                request = msgspec.json.decode(line, type=Request)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                answer: Mapping[str, Any] = {"error": f"not a question: {error}"}
            else:
                by = _peer(stream)
                answer = await ask(Asked(**msgspec.structs.asdict(request), by=by))
            with trio.move_on_after(LINE_S):
                await stream.send_all(clean(msgspec.json.encode(answer)) + b"\n")


def _peer(stream: trio.SocketStream) -> str:
    """Return the user at the other end, where the system tells (Linux does)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return "an operator"
    credentials = stream.socket.getsockopt(socket.SOL_SOCKET, option, CREDENTIALS.size)
    _pid, user_id, _group_id = CREDENTIALS.unpack(credentials)
    with suppress(KeyError):
        return pwd.getpwuid(user_id).pw_name
    return f"uid {user_id}"


async def _line(stream: trio.SocketStream) -> bytes:
    line = b""
    with trio.move_on_after(LINE_S):
        await trio.lowlevel.checkpoint()
        while b"\n" not in line and len(line) < LINE_BYTES_MAX:
            chunk = await stream.receive_some(4096)
            if not chunk:
                break
            line += chunk
    await trio.lowlevel.checkpoint()
    return line.partition(b"\n")[0]


def ask_fleet(folder: Path, verb: str, subject: str = "", **more: Any) -> Any:
    """Return a running fleet's answer. For the command line: blocks, needs no Trio.

    Raises:
      FleetNotRunning: nobody serves the socket in `folder`, or there is no answer.
    """
    question, is_heard = Request(verb, subject, **more), False
    try:
        with _short(folder) as short, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(ANSWER_S)
            asking.connect(f"{short}/{SOCKET}")
            is_heard = True
            asking.sendall(msgspec.json.encode(question) + b"\n")
            with asking.makefile("rb") as answers:
                return msgspec.json.decode(answers.readline())
    except (OSError, msgspec.DecodeError) as error:
        raise _unanswered(folder, is_heard=is_heard) from error


def _unanswered(folder: Path, *, is_heard: bool) -> FleetNotRunning:
    holder = holder_of(folder)
    said = f"no fleet answers in {folder}"
    if holder:
        said = f"the fleet in {folder} (pid {holder}) does not answer"
    elif is_heard:
        said = f"the fleet in {folder} ended before it answered"
    return FleetNotRunning(said, holder=holder, is_heard=is_heard)


@contextmanager
def _short(folder: Path) -> Generator[str]:
    """Yield a name of `folder` that a socket's address can hold."""
    if len(os.fsencode(folder)) + len(SOCKET) < PATH_BYTES_MAX:
        yield str(folder)
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
