"""Read one TOML table into its type, key by key, noting everything that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

import attrs

from actors.pure.config_kinds import Kind, refuse
from actors.pure.config_problems import Place, describe
from actors.pure.nearest import did_you_mean, nearest

Raw = Mapping[str, object]


@attrs.frozen
class Key:
    """One key of a table: what it may be, and what it means."""

    kind: Kind
    meaning: str
    unit: str = ""
    default_words: str = ""  # where the default is no plain value


@attrs.frozen
class Table:
    """A table with fixed keys, read into `type`."""

    type: type[Any]
    keys: Mapping[str, Key]

    @property
    def words(self) -> str:
        return "a table"

    @property
    def stand_in(self) -> Any:
        return self.type(**self._stand_ins())

    def read(self, raw: object, place: Place, *, given: Raw | None = None) -> Any:
        """Return an instance. `given` are the fields that were decided elsewhere; where
        one of them is a key as well, the file wins.
        """
        decided = given or {}
        if not isinstance(raw, dict):
            place.refuse(f"must be {self.words}, not {describe(raw)}")
            return self.type(**{**self._stand_ins(), **decided})
        table = cast("Raw", raw)
        meant = refuse_unknown(table, self.keys, place)
        fields = {**self._stand_ins(), **decided}
        for name, key in self.keys.items():
            if name in table:
                fields[name] = key.kind.read(table[name], place.at(name))
            elif self._is_required(name) and name not in decided and name not in meant:
                place.at(name).refuse(f"missing; must be {key.kind.words}")
        return self.type(**fields)

    def _stand_ins(self) -> dict[str, object]:
        return {
            name: key.kind.stand_in
            for name, key in self.keys.items()
            if self._is_required(name)
        }

    def _is_required(self, name: str) -> bool:
        return getattr(attrs.fields(self.type), name).default is attrs.NOTHING


@attrs.frozen
class Tables:
    """An array of tables, all of one type."""

    table: Table

    @property
    def words(self) -> str:
        return "an array of tables"

    @property
    def stand_in(self) -> tuple[Any, ...]:
        return ()

    def read(self, raw: object, place: Place) -> Any:
        if not isinstance(raw, list):
            return refuse(self, raw, place)
        items = cast("list[object]", raw)
        return tuple(
            self.table.read(item, place.at(number)) for number, item in enumerate(items)
        )


@attrs.frozen
class TablesBy:
    """Tables of one type, each under one of a few names; none needs to be there."""

    names: tuple[str, ...]
    table: Table

    @property
    def words(self) -> str:
        return "a table of tables"

    @property
    def stand_in(self) -> Mapping[str, Any]:
        return {}

    def read(self, raw: object, place: Place) -> Any:
        if not isinstance(raw, dict):
            return refuse(self, raw, place)
        tables = cast("Raw", raw)
        refuse_unknown(tables, self.names, place)
        return {
            name: self.table.read(tables[name], place.at(name))
            for name in self.names
            if name in tables
        }


def refuse_unknown(table: Raw, known: Collection[str], place: Place) -> set[str]:
    """Refuse every key that is not known (R-44); return the keys that were meant."""
    unknown = [name for name in table if name not in known]
    for name in unknown:
        place.at(name).refuse(f"unknown key{did_you_mean(name, known)}")
    return {nearest(name, known) for name in unknown}
