"""Read the parameters of one REST request, and refuse what Kraken refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from adapters.simulator.exchange import Ware
from adapters.simulator.http_server import HttpRequest
from adapters.simulator.kraken_faults import UNKNOWN_PAIR, Refused, invalid
from adapters.simulator.kraken_names import Names

_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)


class Params:
    """Named texts. Every reader raises Refused with the venue's own words."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __contains__(self, name: str) -> bool:
        return bool(self._texts.get(name))

    def text(self, name: str) -> str:
        found = self._texts.get(name, "")
        if not found:
            raise invalid(name)
        return found

    def maybe(self, name: str) -> str | None:
        return self._texts.get(name) or None

    def number(self, name: str) -> Decimal:
        """Return a plain decimal number above zero."""
        found = self.text(name)
        if not _NUMBER.fullmatch(found) or not Decimal(found):
            raise invalid(name)
        return Decimal(found)

    def whole(self, name: str, default: int) -> int:
        found = self.maybe(name)
        if found is None:
            return default
        if not _WHOLE.fullmatch(found):
            raise invalid(name)
        return int(found)

    def is_true(self, name: str) -> bool:
        return (self.maybe(name) or "").lower() in {"true", "1"}

    def moment_ms(self, name: str) -> int | None:
        """Return a Unix time that was given in seconds, or None."""
        found = self.maybe(name)
        if found is None:
            return None
        if not _NUMBER.fullmatch(found):
            raise invalid(name)
        return int(Decimal(found) * 1000)

    def ware(self, names: Names) -> Ware:
        found = names.by_pair(self.text("pair"))
        if found is None:
            raise Refused(UNKNOWN_PAIR)
        return found

    def wares(self, names: Names) -> list[Ware]:
        """Return what `pair` names, separated by commas; everything without it."""
        if "pair" not in self:
            return list(names.wares)
        found = [names.by_pair(pair) for pair in self.text("pair").split(",")]
        if None in found:
            raise Refused(UNKNOWN_PAIR)
        return [ware for ware in found if ware is not None]


def read(request: HttpRequest) -> Params:
    """Return the parameters of query and body, form or JSON.

    Raises:
      Refused: the body is neither.
    """
    pairs = dict(parse_qsl(request.query, keep_blank_values=True))
    body = request.body.decode("utf-8", "replace")
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            found: Any = json.loads(body, parse_float=Decimal)
        except ValueError:
            raise Refused("EGeneral:Invalid arguments") from None
        return Params(pairs | texts_of(found))
    return Params(pairs | dict(parse_qsl(body, keep_blank_values=True)))


def texts_of(found: object) -> dict[str, str]:
    """Return the members of a JSON object as texts.

    Raises:
      Refused: it is none.
    """
    if not isinstance(found, dict):
        raise Refused("EGeneral:Invalid arguments")
    members = cast("dict[object, object]", found)
    return {str(name): _text(value) for name, value in members.items()}


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case list() | dict():
            return json.dumps(value, default=str)
        case _:
            return str(value)
