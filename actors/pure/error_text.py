"""Say in one line what an actor died of, and where in our own code."""

from __future__ import annotations

from traceback import TracebackException, walk_tb
from types import TracebackType
from typing import cast

CHARACTERS_MAX = 300  # of one error's own text
LINKS_MAX = 4  # errors named in a chain, members named of a group
FOREIGN = ("/site-packages/", "/lib/python3", "<frozen", "<string>", "<attrs")


def error_text(error: BaseException) -> str:
    """Return "Type: text in file.py:line", then what caused it; never a second line."""
    links: list[str] = []
    link: BaseException | None = error
    while link is not None and len(links) < LINKS_MAX:
        links.append(_members(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return " · caused by ".join(links)


def writable(text: str) -> str:
    """Return a text that no file, ledger or socket refuses: half characters are named."""
    return text.encode(errors="backslashreplace").decode()


def _members(error: BaseException) -> str:
    """Name what is inside a group; the group itself says nothing."""
    if not isinstance(error, BaseExceptionGroup):
        return _one(error)
    group = cast("BaseExceptionGroup[BaseException]", error)
    named = [error_text(each) for each in group.exceptions[:LINKS_MAX]]
    if (unnamed := len(group.exceptions) - len(named)) > 0:
        named.append(f"{unnamed} more")
    return " and ".join(named)


def _one(error: BaseException) -> str:
    text = " ".join(_own_words(error).split())  # a line break would forge a log line
    if len(text) > CHARACTERS_MAX:
        text = f"{text[:CHARACTERS_MAX]}…"
    name = type(error).__name__
    said = f"{name}: {text}" if text else name
    place = _place(error.__traceback__)
    return f"{said} in {place}" if place else said


def _own_words(error: BaseException) -> str:
    """Return what the error says of itself, also where saying it is an error again."""
    told = TracebackException(type(error), error, None, lookup_lines=False, compact=True)
    return writable(str(told))


def _place(trace: TracebackType | None) -> str:
    """Return the deepest frame of our own code, else the deepest of all."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)]
    ours = [
        (path, line) for path, line in frames if not any(mark in path for mark in FOREIGN)
    ]
    if not frames:
        return ""
    path, line = (ours or frames)[-1]
    return f"{'/'.join(path.split('/')[-2:])}:{line}"
