"""What a REST client of Coinbase asked for, read and refused in its door's own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import attrs

from adapters.simulator.coinbase_orders import read_number
from adapters.simulator.coinbase_texts import read_time


@attrs.frozen
class Page:
    """Rows, and the cursors that lead before and after them."""

    rows: list[dict[str, object]]
    before: str = ""
    after: str = ""


@attrs.frozen
class Asked:
    """One request. Every reader raises what `refuse` makes of its complaint."""

    account: str  # "" when nobody signed
    parts: tuple[str, ...]  # of the path: what its pattern leaves open
    query: Mapping[str, list[str]]
    body: Mapping[str, object]
    refuse: Callable[[str], Exception]

    def one(self, name: str, default: str = "") -> str:
        """Return a parameter of the query; where it came twice, the last."""
        return self.query.get(name, [default])[-1]

    def many(self, *names: str) -> list[str]:
        """Return every value of parameters that may come more than once."""
        return [value for name in names for value in self.query.get(name, [])]

    def whole(self, name: str) -> int | None:
        text = self.one(name)
        if not text:
            return None
        if not text.isascii() or not text.isdigit():
            raise self.refuse(f"{name} is not a whole number")
        return int(text)

    def limit(self, default: int, most: int) -> int:
        """Return `limit`; above the most it counts as the most."""
        return min(self.whole("limit") or default, most)

    def time(self, name: str) -> int | None:
        """Return a time of the query in Unix milliseconds; None when it is not given."""
        text = self.one(name)
        found = read_time(text) if text else None
        if text and found is None:
            raise self.refuse(f"{name} is not a time")
        return found

    def text(self, name: str) -> str:
        """Return a text that the body must have."""
        found = text_of(self.body, name, self.refuse)
        if not found:
            raise self.refuse(f"{name} is required")
        return found

    def maybe(self, name: str) -> str:
        return text_of(self.body, name, self.refuse)

    def number(self, name: str) -> Decimal:
        """Return a number above zero that the body must have, as text."""
        return number_of(self.body, name, self.refuse)

    def flag(self, name: str) -> bool:
        found = self.body.get(name, False)
        if not isinstance(found, bool):
            raise self.refuse(f"{name} is neither true nor false")
        return found


def text_of(
    fields: Mapping[str, object], name: str, refuse: Callable[[str], Exception]
) -> str:
    """Return a text, "" when it is not there; numbers must come as text, too."""
    found = fields.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise refuse(f"{name} must be a string")
    return found


def number_of(
    fields: Mapping[str, object], name: str, refuse: Callable[[str], Exception]
) -> Decimal:
    text = text_of(fields, name, refuse)
    if not text:
        raise refuse(f"{name} is required")
    found = read_number(text)
    if found is None:
        raise refuse(f"Invalid {name}")
    return found
