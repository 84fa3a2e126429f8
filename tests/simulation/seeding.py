"""Take every source of chance and time out of Trio and the libraries, and seed it.

Trio's own two names are private, but stable since 2019 (trio#890); `test_seeding.py` fails
on the day they vanish.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final, TypeVar

import trio
import trio._core._run as trio_run
import websockets.frames
import websockets.utils
import wsproto.frame_protocol
import wsproto.utilities
from httpcore2._async import http11

from tests.simulation.loop import JumpingClock, loop

T = TypeVar("T")

SCHEDULER: Final = "_r"
SORTED_BATCHES: Final = "_ALLOW_DETERMINISTIC_SCHEDULING"
LOOP: Final = "unrolled_run"

_frozen: list[bool] = []  # once in each process and those that it forks


def run_seeded(
    main: Callable[[], Awaitable[T]],
    seed: int,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    """Run `main` to its end with every coin toss drawn from `seed`, in simulated time."""
    with seeded(seed):
        return trio.run(main, clock=JumpingClock(), instruments=instruments)


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Seed whatever the process shares, for the length of one run."""
    entropy = _Entropy(random.Random(f"{seed}/entropy"))
    replaced: list[tuple[Any, str, Any]] = [
        (trio_run, SORTED_BATCHES, True),
        (trio_run, LOOP, loop),
        (trio_run, SCHEDULER, random.Random(f"{seed}/scheduler")),
        (wsproto.frame_protocol, "os", entropy),  # masks
        (wsproto.utilities, "os", entropy),  # the nonce of a handshake
        (websockets.frames, "secrets", entropy),
        (websockets.utils, "secrets", entropy),
        (http11, "time", _TrioTime()),  # when an idle connection is too old
    ]
    before = [(place, name, getattr(place, name)) for place, name, _ in replaced]
    chance = random.getstate()
    random.seed(f"{seed}/global")  # trio_websocket's pings
    gc.collect()
    if not _frozen:  # gc.get_freeze_count() looks at all that is frozen
        _frozen.append(True)
        gc.freeze()  # the modules: or each run would look at all of them again
    gc.disable()  # what it would finalize, and when, depends on memory
    try:
        for place, name, value in replaced:
            setattr(place, name, value)
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)
        random.setstate(chance)
        gc.enable()


class _Entropy(ModuleType):
    """Stands for `os` or `secrets` where only random bytes are asked for."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__("entropy")
        self._chance = chance

    def urandom(self, size: int) -> bytes:
        return self._chance.randbytes(size)

    token_bytes = urandom


class _TrioTime(ModuleType):
    """Stands for `time` where only `time.monotonic` is used."""

    def __init__(self) -> None:
        super().__init__("trio_time")

    def monotonic(self) -> float:
        return trio.current_time()
