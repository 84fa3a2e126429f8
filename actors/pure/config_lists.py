"""The kind of value that is an array of others, none twice."""

from __future__ import annotations

from typing import Any, cast

import attrs

from actors.pure.config_kinds import Kind, refuse
from actors.pure.config_problems import Place, describe


@attrs.frozen
class Several:
    """An array of at most `most` values of one kind, none twice."""

    of: Kind
    most: int

    @property
    def words(self) -> str:
        return f"an array of up to {self.most}, each {self.of.words}"

    @property
    def stand_in(self) -> tuple[Any, ...]:
        return ()

    def read(self, raw: object, place: Place) -> Any:
        if not isinstance(raw, list):
            return refuse(self, raw, place)
        items = cast("list[object]", raw)
        if len(items) > self.most:
            place.refuse(f"must be at most {self.most}, not {len(items)}")
        found: list[Any] = []
        for number, item in enumerate(items):
            if item in items[:number]:
                place.at(number).refuse(f"{describe(item)} is there already")
            found.append(self.of.read(item, place.at(number)))
        return tuple(found)
