"""Who is told which facts, and what each reader was told last.

[journal] --Told--> readers

Outlets belong to the stage and outlive the journal's lives, as mailboxes do: a journal
that starts again goes on telling where the last one stopped, so that a fact which was
committed and not yet told is neither lost nor told twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import attrs

from actors.messages import Fact, Told

Place = tuple[str | None, str | None]  # bot, account; None: of all


class FactDoor(Protocol):
    """The door of a mailbox that facts come in by; it never waits."""

    def fact(self, message: Told, /) -> None: ...


@attrs.frozen(eq=False)
class Reader:
    """What one mailbox reads: these kinds, of one bot or account, or of all (None)."""

    name: str
    mailbox: FactDoor
    kinds: frozenset[type[Fact]]
    bot: str | None = None
    account: str | None = None


@attrs.define(eq=False)
class _Outlet:
    reader: Reader
    told_seq: int = 0  # 0: nothing yet; never above what a first recall answers


class Outlets:
    """The journal's side of the wiring table: telling costs O(readers of that fact)."""

    def __init__(self, readers: Iterable[Reader] = (), *, teller: str = "journal") -> None:
        self.teller = teller  # the journal that they belong to
        self.told_seq: int | None = None  # last one told to all; None: no life yet
        self._by_name: dict[str, _Outlet] = {}
        self._by_place: dict[Place, list[_Outlet]] = {}
        for reader in readers:
            self.add(reader)

    def add(self, reader: Reader) -> None:
        """Tell `reader` every fact of its kinds from now on."""
        if reader.name in self._by_name:
            raise ValueError(f"two readers are called {reader.name}")
        outlet = _Outlet(reader)
        self._by_name[reader.name] = outlet
        self._by_place.setdefault((reader.bot, reader.account), []).append(outlet)

    def remove(self, name: str) -> None:
        """Tell the reader called `name` nothing more."""
        outlet = self._by_name.pop(name)
        reader = outlet.reader
        self._by_place[reader.bot, reader.account].remove(outlet)

    def reader(self, name: str) -> Reader | None:
        """Return the reader called `name`."""
        outlet = self._by_name.get(name)
        return outlet.reader if outlet else None

    def tell(self, seq: int, fact: Fact, at_ms: int) -> None:
        """Post `fact` to each of its readers who has not been told it, without waiting."""
        kind: type[Fact] = type(fact)
        for place in _places(fact):
            for outlet in self._by_place.get(place, ()):
                if outlet.told_seq < seq and kind in outlet.reader.kinds:
                    told = Told(seq, outlet.told_seq, fact, at_ms, self.teller)
                    outlet.told_seq = seq
                    outlet.reader.mailbox.fact(told)
        self.told_seq = seq


def _places(fact: Fact) -> list[Place]:
    """Return where the readers of `fact` are filed, always in the same order."""
    bot: str | None = getattr(fact, "bot", None)
    account: str | None = getattr(fact, "account", None)
    places: list[Place] = [(None, None)]
    if bot is not None:
        places.append((bot, None))
    if account is not None:
        places.append((None, account))
    if bot is not None and account is not None:
        places.append((bot, account))
    return places
