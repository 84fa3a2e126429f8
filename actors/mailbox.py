"""One reader's mailbox: three doors into one memory channel.

any actor --wish (waits for a slot)-------> [mailbox] --receive--> its reader
journal   --fact (never waits)------------> [mailbox]
producer  --latest (replaced or merged)---> [mailbox]

The channel itself is unbounded and bounded at the doors, so that a full lane never shuts
another: depth <= wishes_max + facts_max + keys. The stage owns mailboxes; they outlive
their readers. At a crash the message in hand is lost, by decision.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import trio

M = TypeVar("M")

_WISH, _FACT, _LATEST = range(3)


class _Letter(Generic[M]):
    __slots__ = ("key", "lane", "message")

    def __init__(self, message: M, lane: int, key: Hashable = None) -> None:
        self.message = message
        self.lane = lane
        self.key = key  # of the latest lane


class Mailbox(Generic[M]):
    """Borrowed by one reader at a time. Ten thousand of them must stay small: slots."""

    __slots__ = (
        "_boxes",
        "_facts",
        "_in",
        "_is_in_hand",
        "_out",
        "_overfull",
        "_posted",
        "_seen",
        "_waiting",
        "_wishes",
        "_wishes_max",
        "closed_because",
        "completed",
        "dropped",
        "facts_max",
        "is_overfull",
        "merged",
        "name",
        "progress_s",
        "reader",
        "replaced",
        "taken",
    )

    def __init__(self, name: str, *, wishes_max: int = 64, facts_max: int = 1024) -> None:
        self.name = name
        channel = trio.open_memory_channel[_Letter[M]](math.inf)  # bounded at the doors
        self._in, self._out = channel
        self._wishes, self._wishes_max = 0, wishes_max
        self._facts, self.facts_max = 0, facts_max
        self._waiting: OrderedDict[trio.lowlevel.Task, _Letter[M]] | None = None
        self._boxes: dict[Hashable, _Letter[M]] = {}
        self._posted = 0  # latest() calls that began a new box
        self._is_in_hand = False
        self._overfull: trio.Event | None = None
        self._seen = -1
        self.reader: trio.CancelScope | None = None  # of the life that reads
        self.is_overfull = False
        self.closed_because = ""  # a refusal's code, while the reader's circuit is open
        self.replaced = 0
        self.merged = 0
        self.dropped = 0  # facts not delivered; the next life recalls them
        self.taken = 0
        self.completed = 0  # units of work
        self.progress_s = -math.inf  # as last seen by `stalled_s`

    async def wish(self, message: M) -> None:
        """Deliver once a slot is free, first come first served; the deadline is yours."""
        letter = _Letter(message, _WISH)
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._wishes < self._wishes_max:
            self._wishes += 1
            self._in.send_nowait(letter)
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await self._wait_for_slot(letter)

    def fact(self, message: M) -> None:
        """Deliver now, or end the reader's life: its next one recalls this fact."""
        if self.is_overfull or self._facts >= self.facts_max:
            self.dropped += 1
            self._end_reader()
            return
        self._facts += 1
        self._in.send_nowait(_Letter(message, _FACT))

    def latest(
        self, key: Hashable, message: M, merge: Callable[[M, M], M] | None = None
    ) -> None:
        """Replace (or merge into) the untaken message of this key, else deliver."""
        box = self._boxes.get(key)
        if box is None:
            self._boxes[key] = box = _Letter(message, _LATEST, key)
            self._posted += 1
            self._in.send_nowait(box)
        elif merge is None:
            box.message = message
            self.replaced += 1
        else:
            box.message = merge(box.message, message)
            self.merged += 1

    async def receive(self) -> M:
        """Return the next message. Asking again completes the unit of work in hand."""
        self._complete()
        return self._opened(await self._out.receive())

    def receive_nowait(self) -> M | None:
        """Return the next message of a batch, or None when there is none."""
        self._complete()
        try:
            return self._opened(self._out.receive_nowait())
        except trio.WouldBlock:
            return None

    def facts_waiting(self) -> list[M]:
        """Return the facts that were delivered and not taken; they stay, in their order."""
        found: list[M] = []
        for _ in range(self._out.statistics().current_buffer_used if self._facts else 0):
            letter = self._out.receive_nowait()
            self._in.send_nowait(letter)
            if letter.lane == _FACT:
                found.append(letter.message)
        return found

    def latest_waiting(self, key: Hashable) -> M | None:
        """Return the untaken message of this key; it stays where it is."""
        box = self._boxes.get(key)
        return None if box is None else box.message

    def rearm(self) -> None:
        """Begin a life: forget queued facts (recall holds them), keep wishes and prices."""
        kept: list[_Letter[M]] = []
        for _ in range(self._out.statistics().current_buffer_used):
            letter = self._out.receive_nowait()
            if letter.lane != _FACT:
                kept.append(letter)
        for letter in kept:
            self._in.send_nowait(letter)
        self._facts = 0
        self._is_in_hand = self.is_overfull = False
        self._overfull = None
        self._seen = -1

    def note_work(self, units: int = 1) -> None:
        """Count work that did not come through this mailbox, a feed's frames say."""
        self.completed += units

    @property
    def depth(self) -> int:
        """Messages delivered and not taken."""
        return self._wishes + self._facts + len(self._boxes)

    @property
    def received_latest(self) -> int:
        """How often `latest` was called."""
        return self._posted + self.replaced + self.merged

    @property
    def overfull(self) -> trio.Event:
        """Set once a fact found its lane full in this life."""
        if self._overfull is None:
            self._overfull = trio.Event()
            if self.is_overfull:
                self._overfull.set()
        return self._overfull

    @property
    def is_work_due(self) -> bool:
        """Whether the reader has something in hand or waiting for it."""
        return self._is_in_hand or self.depth > 0

    def stalled_s(self, now_s: float) -> float:
        """Return how long due work has not moved, seen from repeated calls.

        Sampling keeps the clock off the hot path. The answer is never too long, and
        too short by the time between two calls at most.
        """
        seen = self.taken + self.completed if self.is_work_due else -1
        if seen == -1 or seen != self._seen:
            self._seen = seen
            self.progress_s = now_s
        return now_s - self.progress_s

    async def _wait_for_slot(self, letter: _Letter[M]) -> None:
        if self._waiting is None:
            self._waiting = OrderedDict()
        waiting, task = self._waiting, trio.lowlevel.current_task()

        def give_up(_: object) -> trio.lowlevel.Abort:
            del waiting[task]
            return trio.lowlevel.Abort.SUCCEEDED

        waiting[task] = letter
        task.custom_sleep_data = self  # tells the watchdog whom this task waits for
        await trio.lowlevel.wait_task_rescheduled(give_up)

    def _free_slot(self) -> None:
        """Hand the slot to the sender who waited longest: nobody can overtake it."""
        if self._waiting:
            task, letter = self._waiting.popitem(last=False)
            self._in.send_nowait(letter)
            trio.lowlevel.reschedule(task)
        else:
            self._wishes -= 1

    def _end_reader(self) -> None:
        self.is_overfull = True
        if self._overfull is not None:
            self._overfull.set()
        if self.reader is not None:
            self.reader.cancel()

    def _complete(self) -> None:
        if self._is_in_hand:
            self._is_in_hand = False
            self.completed += 1

    def _opened(self, letter: _Letter[M]) -> M:
        if letter.lane == _LATEST:
            del self._boxes[letter.key]
        elif letter.lane == _FACT:
            self._facts -= 1
        else:
            self._free_slot()
        self._is_in_hand = True
        self.taken += 1
        return letter.message


def waits_for_a_reader(task: trio.lowlevel.Task) -> bool:
    """Tell whether `task` is held up by another actor's full mailbox."""
    return isinstance(task.custom_sleep_data, Mailbox)
