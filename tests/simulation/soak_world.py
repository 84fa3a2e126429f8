"""A world that stays small around a fleet that is soaked: what grows by right is kept out.

The ledger's rows go to a file, the exchange's charts forget what is old, and of what must
be kept (orders, fills, names that were used) the size is told, so that it can be taken off.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
from array import array
from collections import deque
from collections.abc import Iterator, MutableSequence
from typing import Any, Final, cast, overload

import attrs

from adapters.simulator.exchange import Exchange
from tests.simulation.disk import Disk, DiskRow
from tests.simulation.process import Machine

MINUTES_KEPT: Final = 180  # of candles, more than a bot asks for


class SpooledRows(MutableSequence[DiskRow]):
    """A list of rows that keeps them in a file, and in memory where each begins."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the run
        self.begins = array("Q")
        self._end = 0

    def close(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self.begins)

    @overload
    def __getitem__(self, at: int) -> DiskRow: ...

    @overload
    def __getitem__(self, at: slice) -> list[DiskRow]: ...

    def __getitem__(self, at: int | slice) -> DiskRow | list[DiskRow]:
        if isinstance(at, slice):
            return [self._read(number) for number in range(*at.indices(len(self)))]
        return self._read(range(len(self))[at])

    def __iter__(self) -> Iterator[DiskRow]:
        return (self._read(number) for number in range(len(self)))

    def append(self, value: DiskRow) -> None:
        self.begins.append(self._end)
        self._file.seek(self._end)
        pickle.dump(value, self._file)
        self._end = self._file.tell()

    def __delitem__(self, at: int | slice) -> None:
        """Forget the newest rows; no others can be."""
        if not isinstance(at, slice) or at.indices(len(self))[1:] != (len(self), 1):
            raise TypeError("rows are deleted from the end only")
        first = at.indices(len(self))[0]
        if first < len(self):
            self._end = self.begins[first]
            del self.begins[first:]

    def __setitem__(self, at: int | slice, value: Any) -> None:
        raise TypeError("a row never changes")

    def insert(self, index: int, value: DiskRow) -> None:
        """Append; a row is never put between others."""
        if index < len(self):
            raise TypeError("rows are appended only")
        self.append(value)

    def _read(self, number: int) -> DiskRow:
        self._file.seek(self.begins[number])
        return cast("DiskRow", pickle.load(self._file))  # noqa: S301 -- our own rows


def settle_charts(exchange: Exchange) -> None:
    """Give the rolling day bars of its own, so that new ones take the room of old ones."""
    for ware in exchange.wares.values():
        day: Any = ware.day
        day._minutes = deque(
            (bar.copied(bar.open_ms) for bar in day._minutes), maxlen=day._minutes.maxlen
        )


def forget_old_minutes(exchange: Exchange) -> None:
    """Let go of candles that nobody asks for any more."""
    for ware in exchange.wares.values():
        minutes: Any = cast("Any", ware.chart)._minutes
        while len(minutes) > MINUTES_KEPT:
            minutes.pop()


def size_of_memories(exchange: Exchange, disk: Disk, machine: Machine) -> int:
    """Return the bytes of what exchange, disk and judges remember of each order."""
    seen: set[int] = set()
    engine, rows = exchange.engine, cast("SpooledRows", disk.rows)
    kept = engine.orders, engine.by_client, exchange.fills, exchange.asked
    judged = disk.keys, rows.begins, machine.sent, machine.decided
    return sum(_size_of(each, seen) for each in (*kept, *judged))


def _size_of(thing: Any, seen: set[int]) -> int:
    """Return the bytes of an object with all in it that was not seen yet."""
    if id(thing) in seen or thing is None:
        return 0
    seen.add(id(thing))
    return sys.getsizeof(thing) + sum(_size_of(part, seen) for part in _parts(thing))


def _parts(thing: Any) -> list[Any]:
    if isinstance(thing, (tuple, list)):
        return list(cast("list[Any]", thing))
    if isinstance(thing, dict):
        return [part for item in cast("dict[Any, Any]", thing).items() for part in item]
    kind = cast("Any", type(thing))
    if not attrs.has(kind):
        return []
    return [getattr(thing, field.name) for field in attrs.fields(kind)]
