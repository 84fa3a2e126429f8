"""Know the line of every key in a TOML text, because tomllib tells none (S-12).

Reads only as much of the grammar as says where keys are; whether the text is TOML at
all is tomllib's to judge. On a text that is none, the index ends where it loses its way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress

import attrs

Path = tuple[str | int, ...]  # ("bots", 2, "capital")

DEPTH_MAX = 50  # deeper values have the line of the value around them

_TOKEN = re.compile(
    r"""
      (?P<skip>[ \t]+|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<text>
        \"{3}(?:\\.|[^\\])*?\"{3,5}
      | '{3}.*?'{3,5}
      | "(?:\\.|[^"\\\n])*"
      | '[^'\n]*'
      )
    | (?P<bare>[A-Za-z0-9_+:-]+)
    | (?P<mark>[\[\]{}=,.])
    """,
    re.VERBOSE | re.DOTALL,
)


@attrs.frozen
class Lines:
    """The line of every key, and the keys that were given twice: (path, line)."""

    by_path: Mapping[Path, int]
    repeated: tuple[tuple[Path, int], ...] = ()

    def line(self, path: Path) -> int | None:
        """Return the line of `path`, or of the nearest table around it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.by_path:
                return self.by_path[path[:end]]
        return None


def index_lines(text: str) -> Lines:
    """Return where every table, array item and key of `text` begins. Never raises."""
    scan = _Scan(_tokens(text.replace("\r\n", "\n")))
    with suppress(_Lost):  # What was found until then is true all the same.
        scan.document()
    return Lines(scan.by_path, tuple(scan.repeated))


class _Lost(Exception):
    pass


@attrs.frozen
class _Token:
    kind: str
    text: str
    line: int


_END = _Token("end", "", 0)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    line, at = 1, 0
    while match := _TOKEN.match(text, at):
        kind, piece = str(match.lastgroup), match.group()
        if kind != "skip":
            found.append(_Token(kind, piece, line))
        line += piece.count("\n")
        at = match.end()
    return found


@attrs.define
class _Scan:
    tokens: list[_Token]
    at: int = 0
    by_path: dict[Path, int] = attrs.Factory(dict[Path, int])
    repeated: list[tuple[Path, int]] = attrs.Factory(list[tuple[Path, int]])
    _lengths: dict[Path, int] = attrs.Factory(dict[Path, int])  # arrays of tables
    _headers: set[Path] = attrs.Factory(set[Path])

    def document(self) -> None:
        table: Path = ()
        while (token := self._peek()).kind != "end":
            if token.kind == "newline":
                self.at += 1
            elif token.text == "[":
                table = self._header()
            else:
                self._pair(table, 0)

    def _header(self) -> Path:
        line = self._take("[").line
        is_array = self._peek().text == "["
        if is_array:
            self._take("[")
        key = self._key()
        self._take("]")
        if is_array:
            self._take("]")
        path = self._inside_arrays(key[:-1])
        path = (*path, key[-1])
        if is_array:
            self.by_path.setdefault(path, line)
            self._lengths[path] = self._lengths.get(path, 0) + 1
            path = (*path, self._lengths[path] - 1)
        elif path in self._lengths:
            path = (*path, self._lengths[path] - 1)
        if path in self._headers:
            self.repeated.append((path, line))
        self._headers.add(path)
        self._know(path, line)
        return path

    def _inside_arrays(self, key: Path) -> Path:
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _pair(self, table: Path, depth: int) -> None:
        line = self._peek().line
        key = self._key()
        path = (*table, *key)
        if path in self.by_path:
            self.repeated.append((path, line))
        self._know(path, line)
        self._take("=")
        self._value(path, depth)

    def _know(self, path: Path, line: int) -> None:
        for end in range(1, len(path) + 1):
            self.by_path.setdefault(path[:end], line)

    def _key(self) -> Path:
        parts = [self._key_part()]
        while self._peek().text == ".":
            self.at += 1
            parts.append(self._key_part())
        return tuple(parts)

    def _key_part(self) -> str:
        token = self._peek()
        self.at += 1
        if token.kind == "bare":
            return token.text
        if token.kind != "text" or token.text[:3] in {'"""', "'''"}:
            raise _Lost
        try:
            return str(tomllib.loads(f"key = {token.text}")["key"])
        except tomllib.TOMLDecodeError:
            raise _Lost from None

    def _value(self, path: Path, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise _Lost
        opener = self._peek().text
        if opener == "[":
            self._array(path, depth)
        elif opener == "{":
            self._inline_table(path, depth)
        else:
            self._scalar()

    def _scalar(self) -> None:
        token = self._peek()
        if token.kind not in {"text", "bare"}:
            raise _Lost
        while token.kind in {"text", "bare"} or token.text == ".":
            self.at += 1
            token = self._peek()

    def _array(self, path: Path, depth: int) -> None:
        self._take("[")
        number = 0
        self._newlines()
        while self._peek().text != "]":
            self.by_path.setdefault((*path, number), self._peek().line)
            self._value((*path, number), depth + 1)
            number += 1
            self._newlines()
            if self._peek().text != "]":
                self._take(",")
                self._newlines()
        self._take("]")

    def _inline_table(self, path: Path, depth: int) -> None:
        self._take("{")
        while self._peek().text != "}":
            self._pair(path, depth + 1)
            if self._peek().text != "}":
                self._take(",")
        self._take("}")

    def _newlines(self) -> None:
        while self._peek().kind == "newline":
            self.at += 1

    def _peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _END

    def _take(self, mark: str) -> _Token:
        token = self._peek()
        if token.text != mark or token.kind != "mark":
            raise _Lost
        self.at += 1
        return token
