"""Say what is wrong with a file: every problem, one line each, with its place."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import attrs

from actors.pure.config_source import Lines, Path

SHOWN_MAX = 40  # characters of a value or a key that a problem repeats

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@attrs.frozen
class Problem:
    """One thing that is wrong. `line` is None where the whole file is meant."""

    file_name: str
    line: int | None
    key: str  # "bots[2].capital", or ""
    text: str

    def __str__(self) -> str:
        place = self.file_name if self.line is None else f"{self.file_name}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.text) if part)


@attrs.frozen
class Problems:
    """Everything that is wrong with one file, in the order of its lines."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@attrs.define
class Report:
    """Collects the problems of one file."""

    file_name: str
    lines: Lines
    _found: list[Problem] = attrs.Factory(list[Problem])
    _wrong: set[Path] = attrs.Factory(set[Path])
    _around: set[Path] = attrs.Factory(set[Path])  # every table around what is wrong

    def refuse(self, path: Path, text: str) -> None:
        """Note that what stands at `path` is wrong."""
        line = self.lines.line(path)
        self._found.append(Problem(self.file_name, line, dotted(path), text))
        self._wrong.add(path)
        self._around.update(_prefixes(path))

    def is_clean(self, *paths: Path) -> bool:
        """Tell whether nothing is wrong at, in or around any of `paths`."""
        return not any(
            path in self._around or not self._wrong.isdisjoint(_prefixes(path))
            for path in paths
        )

    def problems(self) -> Problems:
        return Problems(tuple(sorted(self._found, key=lambda found: found.line or 0)))


@attrs.frozen
class Place:
    """Where in the file a value stands, and whom to tell what is wrong with it."""

    report: Report
    path: Path = ()

    def at(self, *parts: str | int) -> Place:
        return Place(self.report, (*self.path, *parts))

    def refuse(self, text: str) -> None:
        self.report.refuse(self.path, text)

    def is_clean(self, *keys: str) -> bool:
        """Tell whether nothing is wrong with these keys of this table."""
        return self.report.is_clean(*((*self.path, key) for key in keys))


def _prefixes(path: Path) -> list[Path]:
    return [path[:end] for end in range(len(path) + 1)]


def dotted(path: Path) -> str:
    """Return `path` as people write it: `bots[2].capital`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else json.dumps(part)
            text += ("." if text else "") + shorten(name)
    return text


def shorten(text: str) -> str:
    """Return `text` cut to what fits into a one-line problem."""
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


def describe(raw: object) -> str:
    """Return a TOML value in a few words, on one line."""
    if isinstance(raw, str):
        return f"the text {shorten(json.dumps(raw, ensure_ascii=False))}"
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int) and raw.bit_length() > 128:
        return "a number of more than 38 digits"
    if isinstance(raw, int | Decimal):
        return shorten(str(raw))
    if isinstance(raw, dict | list):
        return "a table" if isinstance(raw, dict) else "an array"
    return "a date or time"
