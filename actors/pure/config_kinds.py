"""The kinds of value that a key of `bots.toml` may have, and how each is read.

A kind reads one raw TOML value at its place, tells the report what is wrong with it,
and then answers `stand_in`, so that the rest of the file can be judged as well: a
config with a problem is never handed out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol, cast

import attrs

from actors.pure.config_problems import Place, describe
from actors.pure.nearest import nearest

DIGITS_MAX = 18  # before and after the point: no venue quotes finer, nobody owns more


class Kind(Protocol):
    """One kind of value."""

    @property
    def words(self) -> str:
        """What is allowed, to be read after "must be"."""
        ...

    @property
    def stand_in(self) -> Any:
        """What a missing or refused value is replaced by while the rest is judged."""
        ...

    def read(self, raw: object, place: Place) -> Any: ...


def refuse(kind: Kind, raw: object, place: Place, advice: str = "") -> Any:
    """Say that `raw` is not of this kind; answer the stand-in."""
    place.refuse(f"must be {kind.words}, not {describe(raw)}{advice}")
    return kind.stand_in


@attrs.frozen
class Truth:
    words: str = "true or false"
    stand_in: bool = False

    def read(self, raw: object, place: Place) -> Any:
        return raw if isinstance(raw, bool) else refuse(self, raw, place)


@attrs.frozen
class Whole:
    """A whole number between two bounds, both included."""

    least: int
    most: int

    @property
    def words(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    @property
    def stand_in(self) -> int:
        return self.least

    def read(self, raw: object, place: Place) -> Any:
        if isinstance(raw, bool) or not isinstance(raw, int):
            return refuse(self, raw, place)
        return raw if self.least <= raw <= self.most else refuse(self, raw, place)


@attrs.frozen
class Number:
    """A number between two bounds; the lower one is excluded unless `is_least_allowed`.

    Read as Decimal, or as float where it is no money (`is_float`).
    """

    least: str
    most: str
    noun: str = "a number"
    is_least_allowed: bool = False
    is_most_allowed: bool = True
    is_float: bool = False

    @property
    def words(self) -> str:
        low = "from" if self.is_least_allowed else "above"
        high = "and below"
        if self.is_most_allowed:
            high = "to" if self.is_least_allowed else "and at most"
        return f"{self.noun} {low} {self.least} {high} {self.most}"

    @property
    def stand_in(self) -> Any:
        return self._typed(Decimal(self.most) / 2)

    def read(self, raw: object, place: Place) -> Any:
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
            return refuse(self, raw, place, _unquote(raw))
        number = Decimal(raw)
        if not self._is_inside(number):
            return refuse(self, raw, place, self._sign_advice(number))
        if _is_too_fine(number):
            place.refuse(f"must have at most {DIGITS_MAX} decimals, not {describe(raw)}")
            return self.stand_in
        return self._typed(number)

    def _is_inside(self, number: Decimal) -> bool:
        if not number.is_finite():
            return False
        least, most = Decimal(self.least), Decimal(self.most)
        is_above = number >= least if self.is_least_allowed else number > least
        return is_above and (number <= most if self.is_most_allowed else number < most)

    def _sign_advice(self, number: Decimal) -> str:
        # Some write a loss with a minus, some without; guessing is no way to halt.
        if number.is_finite() and number < 0 and self._is_inside(-number):
            return f"; write {describe(-number)}"
        return ""

    def _typed(self, number: Decimal) -> Decimal | float:
        exact = number or abs(number)  # There is no minus 0 in money.
        return float(exact) if self.is_float else exact


def _is_too_fine(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -DIGITS_MAX


def _unquote(raw: object) -> str:
    is_quoted_number = isinstance(raw, str) and re.fullmatch(r"-?[0-9._]+", raw)
    return "; remove the quotes" if is_quoted_number else ""


@attrs.frozen
class Text:
    """A text of a given shape."""

    pattern: str
    words: str
    stand_in: str = ""

    def read(self, raw: object, place: Place) -> Any:
        if isinstance(raw, str) and re.fullmatch(self.pattern, raw):
            return raw
        return refuse(self, raw, place)


@attrs.frozen
class Choice:
    """One of a few words; read as a member of `enum` where one is given."""

    names: tuple[str, ...]
    enum: type[Enum] | None = None

    @property
    def words(self) -> str:
        quoted = [f'"{name}"' for name in self.names]
        return " or ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)

    @property
    def stand_in(self) -> Any:
        return self._typed(self.names[0])

    def read(self, raw: object, place: Place) -> Any:
        if isinstance(raw, str):
            if raw in self.names:
                return self._typed(raw)
            near = nearest(raw, self.names)
            return refuse(self, raw, place, f"; did you mean {near}?" if near else "")
        return refuse(self, raw, place)

    def _typed(self, name: str) -> Any:
        return name if self.enum is None else self.enum(name)


def members(enum: type[Enum]) -> Choice:
    """Return the choice between the values of `enum`."""
    return Choice(tuple(str(member.value) for member in enum), enum)


@attrs.frozen
class WordOr:
    """Either one of a few words or another kind of value."""

    choice: Choice
    other: Kind

    @property
    def words(self) -> str:
        return f"{self.other.words}, {self.choice.words}"

    @property
    def stand_in(self) -> Any:
        return self.other.stand_in

    def read(self, raw: object, place: Place) -> Any:
        if not isinstance(raw, str):
            return self.other.read(raw, place)
        if raw in self.choice.names:
            return raw
        near = nearest(raw, self.choice.names)
        advice = f"; did you mean {near}?" if near else _unquote(raw)
        return refuse(self, raw, place, advice)


@attrs.frozen
class SecretReference:
    """Where a secret is to be found. A secret itself is refused and never shown (S-1)."""

    words: str = 'a reference, "env:NAME" or "file:/path"'
    stand_in: None = None

    def read(self, raw: object, place: Place) -> Any:
        pattern = r"env:[A-Za-z_][A-Za-z0-9_]{0,99}|file:/[^\x00-\x1f]{1,500}"
        if isinstance(raw, str) and re.fullmatch(pattern, raw):
            return raw
        if isinstance(raw, str) and raw.startswith("keyring:"):
            place.refuse(f"keyring: is not available yet; must be {self.words}")
        else:
            place.refuse(
                f"literal secrets are refused; must be {self.words} (yours is not shown)"
            )
        return None


@attrs.frozen
class AnyTable:
    """A table whose keys are somebody else's to judge."""

    words: str = "a table"

    @property
    def stand_in(self) -> Mapping[str, object]:
        return {}

    def read(self, raw: object, place: Place) -> Any:
        if isinstance(raw, dict):
            return cast("Mapping[str, object]", raw)
        return refuse(self, raw, place)


@attrs.frozen
class NumberBy:
    """A table of numbers by name: prices by symbol, balances by asset."""

    name_pattern: str
    name_words: str
    number: Number

    @property
    def words(self) -> str:
        return f"a table that gives {self.name_words} {self.number.words}"

    @property
    def stand_in(self) -> Mapping[str, Decimal]:
        return {}

    def read(self, raw: object, place: Place) -> Any:
        if not isinstance(raw, dict):
            return refuse(self, raw, place)
        table = cast("Mapping[str, object]", raw)
        found: dict[str, Any] = {}
        for name, value in table.items():
            if not re.fullmatch(self.name_pattern, name):
                place.at(name).refuse(f"the key must be {self.name_words}")
            found[name] = self.number.read(value, place.at(name))
        return found
