"""Turn the bytes of a file into TOML values and lines, or say why they are none. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from actors.pure.config_problems import Problem, Problems, Report, dotted
from actors.pure.config_source import Lines, index_lines

BYTES_MAX = 1024 * 1024
LINE_LENGTH_MAX = 4096  # tomllib's time grows with the square of a dotted key
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"

Parsed = tuple[Mapping[str, object], Report]


def decode(data: bytes, file_name: str) -> str | Problems:
    """Return the text of a file."""
    if len(data) > BYTES_MAX:
        return _one(file_name, None, "larger than 1 MiB; this is no configuration")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _one(file_name, line, f"not UTF-8: byte 0x{data[error.start]:02x}")


def parse(text: str, file_name: str) -> Parsed | Problems:
    """Return the values of a TOML text and the report that knows their lines."""
    if text.startswith(BYTE_ORDER_MARK):
        advice = "begins with a byte order mark; save it as UTF-8 without one"
        return _one(file_name, 1, advice)
    text = text.replace("\r\n", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LINE_LENGTH_MAX:
            reason = f"longer than {LINE_LENGTH_MAX} characters"
            return _one(file_name, number, reason)
    try:
        values = tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        return _syntax_problem(text, file_name, error)
    except RecursionError:
        return _one(file_name, None, "nested too deeply")
    except ValueError:  # int() refuses what has too many digits to be read in time.
        return _one(file_name, None, "holds a number of too many digits")
    return values, Report(file_name, index_lines(text))


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # Its exponent is beyond all bounds; ours refuse NaN.
        return Decimal("NaN")


def _syntax_problem(text: str, file_name: str, error: tomllib.TOMLDecodeError) -> Problems:
    lines = index_lines(text)
    if lines.repeated and re.match(r"Cannot (overwrite|declare|mutate)", str(error)):
        return _given_twice(file_name, lines)
    reason, _, place = str(error).rpartition(" (at ")
    found = re.fullmatch(r"line (\d+), column (\d+)\)", place)
    reason = reason[:1].lower() + reason[1:]
    if found is None:
        last = text.rstrip("\n").count("\n") + 1
        return _one(file_name, last, f"not TOML: {reason} at the end of the file")
    column = f"at column {found[2]}"
    return _one(file_name, int(found[1]), f"not TOML: {reason} {column}")


def _given_twice(file_name: str, lines: Lines) -> Problems:
    return Problems(
        tuple(
            Problem(
                file_name,
                line,
                dotted(path),
                f"given twice; first on line {lines.by_path[path]}",
            )
            for path, line in lines.repeated
        )
    )


def _one(file_name: str, line: int | None, text: str) -> Problems:
    return Problems((Problem(file_name, line, "", text),))
