"""The operators' desk: a 0600 socket that answers who asks, whatever is said to it."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from actors.messages.board import Asked
from adapters.control import SOCKET, ControlDesk, FleetNotRunning, ask_fleet


@attrs.define(eq=False)
class Fleet:
    """Whoever stands behind the desk."""

    asked: list[Asked] = attrs.Factory(list[Asked])
    slow_s: float = 0.0

    async def answer(self, asked: Asked) -> Mapping[str, Any]:
        self.asked.append(asked)
        await trio.sleep(self.slow_s)
        return {"said": f"{asked.verb} {asked.subject}"}


async def serve(nursery: trio.Nursery, folder: Path, fleet: Fleet) -> None:
    """Return once the desk is open."""
    nursery.start_soon(ControlDesk(folder).serve, fleet.answer)
    await opened(folder)


async def opened(folder: Path) -> Any:
    with trio.fail_after(5):
        while True:
            await trio.sleep(0.005)
            with suppress(OSError, FleetNotRunning):
                return await (
                    say(folder) if len(str(folder)) < 90 else ask(folder, "hello")
                )


async def ask(folder: Path, verb: str, subject: str = "", **more: str) -> Any:
    return await trio.to_thread.run_sync(partial(ask_fleet, folder, verb, subject, **more))


async def say(folder: Path, *chunks: bytes) -> bytes:
    """Send raw bytes, end, and return what comes back."""
    stream = await trio.open_unix_socket(folder / SOCKET)
    async with stream:
        for chunk in chunks:
            await stream.send_all(chunk)
            await trio.sleep(0.01)
        await stream.send_eof()
        heard = b""
        with trio.fail_after(5):
            while chunk := await stream.receive_some():
                heard += chunk
    return heard


async def test_a_question_is_answered(tmp_path: Path, nursery: trio.Nursery) -> None:
    """S-8: who asks is what the system says, not what the asker does."""
    fleet = Fleet()
    await serve(nursery, tmp_path, fleet)
    answer = await ask(tmp_path, "pause", "dawn", reason="holiday", key="k1")
    assert answer == {"said": "pause dawn"}
    by = pwd.getpwuid(os.getuid()).pw_name if sys.platform == "linux" else "an operator"
    assert fleet.asked == [Asked("pause", "dawn", "holiday", by, "k1")]


async def test_only_we_may_ask(tmp_path: Path, nursery: trio.Nursery) -> None:
    """S-5, whatever the umask is."""
    before = os.umask(0)
    try:
        await serve(nursery, tmp_path, Fleet())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600


async def test_a_folder_with_a_very_long_name_serves_too(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    folder = tmp_path / ("a" * 120) / ("b" * 120)
    folder.mkdir(parents=True)
    await serve(nursery, folder, Fleet())
    assert await ask(folder, "status") == {"said": "status "}


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\n",
        b"hello\n",
        b"[1, 2]\n",
        b'{"verb": 1}\n',
        b'{"verb": "status", "more": 1}\n',
        b'{"verb": "status", "by": "somebody else"}\n',
        b'{"verb": "\xff"}\n',
        b"\xff\xfe\x00\n",
        b"[" * 20_000 + b"\n",
        b'{"verb": "\\ud800"}\n',
        b'{"verb": "' + b"x" * 20_000,
    ],
)
async def test_garbage_is_answered_as_such_and_the_desk_goes_on(
    tmp_path: Path, nursery: trio.Nursery, garbage: bytes
) -> None:
    fleet = Fleet()
    await serve(nursery, tmp_path, fleet)
    try:
        assert b"not a question" in await say(tmp_path, garbage)
    except trio.BrokenResourceError:  # the desk had heard enough
        assert len(garbage) > 16 * 1024
    assert fleet.asked == []
    assert await ask(tmp_path, "status") == {"said": "status "}


async def test_a_question_may_come_in_pieces(tmp_path: Path, nursery: trio.Nursery) -> None:
    await serve(nursery, tmp_path, Fleet())
    assert b'"said":"status "' in await say(tmp_path, b'{"ver', b'b": "stat', b'us"}\n')


async def test_what_follows_the_first_line_is_not_heard(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    fleet = Fleet()
    await serve(nursery, tmp_path, fleet)
    await say(tmp_path, b'{"verb": "status"}\n{"verb": "stop"}\n')
    assert [asked.verb for asked in fleet.asked] == ["status"]


async def test_two_clients_at_once_wait_for_nobody_but_the_fleet(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    await serve(nursery, tmp_path, Fleet(slow_s=0.3))
    mute = await trio.open_unix_socket(tmp_path / SOCKET)  # says nothing at all
    begun_s = trio.current_time()
    async with mute, trio.open_nursery() as clients:
        for _ in range(5):
            clients.start_soon(ask, tmp_path, "status")
    assert trio.current_time() - begun_s < 1.4  # one after the other would take 1.5


async def test_a_client_that_hangs_up_disturbs_nobody(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    await serve(nursery, tmp_path, Fleet(slow_s=0.1))
    for _ in range(3):
        stream = await trio.open_unix_socket(tmp_path / SOCKET)
        await stream.send_all(b'{"verb": "status"}\n')
        await stream.aclose()
    await trio.sleep(0.2)
    assert await ask(tmp_path, "status") == {"said": "status "}


async def test_a_socket_left_by_a_kill_is_replaced(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET))
    with pytest.raises(FleetNotRunning):
        await ask(tmp_path, "status")
    await serve(nursery, tmp_path, Fleet())
    assert await ask(tmp_path, "status") == {"said": "status "}


async def test_the_socket_goes_with_the_desk(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        await serve(nursery, tmp_path, Fleet())
        nursery.cancel_scope.cancel()
    assert os.listdir(tmp_path) == []
    with pytest.raises(FleetNotRunning, match="no fleet answers in"):
        await ask(tmp_path, "status")


async def test_secrets_are_taken_out_of_answers(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    desk = ControlDesk(tmp_path, clean=lambda body: body.replace(b"dawn", b"***"))
    nursery.start_soon(desk.serve, Fleet().answer)
    await opened(tmp_path)
    assert await ask(tmp_path, "pause", "dawn") == {"said": "pause ***"}
