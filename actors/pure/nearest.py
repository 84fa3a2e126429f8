"""Find the name that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection

NAMES_MAX = 500  # among more, nobody would wait for the answer
SHOWN_MAX = 30
NAME_LENGTH_MAX = 64  # no name of ours is longer, and the comparison is quadratic


def nearest(name: str, known: Collection[str]) -> str:
    """Return the known name most like `name`, or "" where none is like it."""
    if len(name) > NAME_LENGTH_MAX or len(known) > NAMES_MAX:
        return ""
    by_plain_name = {_plain(one): one for one in known}
    found = difflib.get_close_matches(_plain(name), list(by_plain_name), n=1, cutoff=0.6)
    return by_plain_name[found[0]] if found else ""


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return "; did you mean …?", or the known names where none is like `name`."""
    near = nearest(name, known)
    if near:
        return f"; did you mean {near}?"
    shown = ", ".join(sorted(known)[:SHOWN_MAX])
    return f"; known: {shown}{', …' if len(known) > SHOWN_MAX else ''}" if known else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace("/", "")
