"""Print every key of `bots.toml` as `docs/configuration.md`, so that it cannot go stale."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import attrs

from actors.pure import config_schema as schema
from actors.pure.config_endpoints import ENDPOINTS
from actors.pure.config_exchange_schema import EXCHANGE, RECONNECT, SILENCE
from actors.pure.config_read import Key, Table, Tables
from actors.pure.config_simulator_schema import CRASH, FAULT, MARKET, PHASE, SIMULATOR

INTRODUCTION = """\
# bots.toml, key by key

<!-- Printed by `shoal check --keys`; a test compares the two. -->

`shoal check bots.toml` judges a file and names every problem with its line. `shoal run`
refuses a file with a problem. Unknown keys are problems, and so is a key that has no
meaning beside the others.

Numbers are read exactly, as decimals. Keys that end in `_s` are seconds, in `_ms`
milliseconds, in `_percent` percent. Symbols are `BASE/QUOTE`, as in `BTC/USDT`. Arrays
are counted from 0 in messages: `bots[0]` is the first `[[bots]]`.

Keys and secrets of an exchange are never written here, only where they are:
`env:NAME` is an environment variable, `file:/path` a file that only you can read.

## The file itself

| key | what it may be | default | meaning |
|---|---|---|---|
"""

SECTIONS: tuple[tuple[str, str, Table], ...] = (
    (
        "[supervision]",
        "When a crashed actor may start again. Each of the four may also be set in a "
        "bot's own table.",
        schema.SUPERVISION,
    ),
    (
        "[exchanges.NAME]",
        f"`NAME` is {' or '.join(ENDPOINTS)}. The table may be left out: an account that "
        "names the exchange is enough.",
        EXCHANGE,
    ),
    (
        "reconnect = { … } of an exchange",
        "A lost connection is tried again, each time after a longer wait.",
        RECONNECT,
    ),
    (
        "silence_s = { … } of an exchange",
        "A connection may stand and yet say nothing. A quiet market must not look like "
        "that, so each channel has its own limit.",
        SILENCE,
    ),
    (
        "[accounts.NAME]",
        "A tenant. Owners run apart: each has keys, limits, a ledger, and halts alone.",
        schema.ACCOUNT,
    ),
    (
        "[accounts.NAME.risk]",
        "Limits of an account, checked at the live price. A loss limit is written "
        "without a sign: 5 halts at a loss of 5 %.",
        schema.RISK,
    ),
    (
        "[[bots]]",
        "One position is `position_percent` of `capital`, at the live price, rounded down "
        "to what the exchange trades.",
        schema.BOT,
    ),
    ("[journal]", "The ledger.", schema.JOURNAL),
    (
        "[simulator]",
        "The exchanges of mode sim. Times are seconds since the fleet was up.",
        SIMULATOR,
    ),
    (
        "[simulator.exchanges.NAME]",
        "`NAME` is one of the exchanges. Each that an account or a bot names is simulated "
        "by itself: its own port, prices, accounts and faults.",
        MARKET,
    ),
    ("[[simulator.phases]]", "The market, from a moment on.", PHASE),
    ("[[simulator.faults]]", "The script of what goes wrong at the exchange.", FAULT),
    ("[[simulator.crash]]", "Crashes of our own actors, to watch them recover.", CRASH),
)

ROOT_KEYS = (
    (
        "mode",
        "Where prices and orders are real. `sim` needs no keys and no network; `live` "
        "also needs `--live` on the command line; `paper` trades on the real exchanges' "
        "prices without a key: docs/paper.md.",
        schema.MODE.words,
        "`sim`",
    ),
    (
        "state",
        "The folder of the ledger, seen from the folder of this file.",
        schema.STATE.words,
        "`var`",
    ),
)


def reference() -> str:
    """Return the whole reference as Markdown."""
    lines = [INTRODUCTION.rstrip("\n")]
    lines += [
        _row(name, words, default, meaning) for name, meaning, words, default in ROOT_KEYS
    ]
    for title, introduction, table in SECTIONS:
        lines += ["", f"## {title}", "", introduction, ""]
        lines += ["| key | what it may be | default | meaning |", "|---|---|---|---|"]
        lines += [_key_row(name, key, table) for name, key in table.keys.items()]
    return "\n".join(lines) + "\n"


def _key_row(name: str, key: Key, table: Table) -> str:
    unit = f" ({key.unit})" if key.unit not in {"", "s", "ms", "%"} else ""
    words = f"{key.kind.words}{unit}"
    return _row(name, words, _default(name, key, table), key.meaning)


def _row(name: str, words: str, default: str, meaning: str) -> str:
    return f"| `{name}` | {words} | {default} | {meaning} |"


def _default(name: str, key: Key, table: Table) -> str:
    if key.default_words:
        return key.default_words
    if isinstance(key.kind, Table):
        return "as below"
    if isinstance(key.kind, Tables):
        return "none"
    default: Any = getattr(attrs.fields(table.type), name).default
    if default is attrs.NOTHING:
        return "must be given"
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type] -- is a class
        default = default.factory()
    return _shown(default)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case Enum():
            return f"`{value.value}`"
        case dict():
            table = cast("Mapping[str, object]", value)
            pairs = (f'"{name}" = {_plain(number)}' for name, number in table.items())
            return f"`{{ {', '.join(pairs)} }}`"
        case _:
            return f"`{_plain(value)}`"


def _plain(number: Any) -> str:
    return f"{number:g}" if isinstance(number, float | Decimal) else str(number)
