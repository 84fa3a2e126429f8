"""Read the parameters of one request, and refuse what Binance refuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from adapters.simulator.binance_faults import (
    INVALID_SYMBOL,
    NUMBER_RANGE,
    Refused,
    illegal,
    missing,
    too_precise,
)
from adapters.simulator.exchange import Exchange, Ware

DECIMALS_MAX: Final = 8
_NUMBER: Final = re.compile(NUMBER_RANGE, re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,19}", re.ASCII)


class Params:
    """Named texts. Every reader raises Refused with the venue's own code."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def only(self, known: Collection[str]) -> None:
        """Refuse parameters that the endpoint does not know."""
        read = sum(name in known for name in self._texts)
        if read != len(self._texts):
            raise Refused(
                -1104,
                f"Not all sent parameters were read; read '{read}' parameter(s) but was "
                f"sent '{len(self._texts)}'.",
            )

    def text(self, name: str) -> str:
        found = self._texts.get(name, "")
        if not found:
            raise missing(name)
        return found

    def maybe(self, name: str) -> str | None:
        """Return an optional text; sent but empty is refused."""
        found = self._texts.get(name)
        if found is not None and not found:
            raise Refused(-1105, f"Parameter '{name}' was empty.")
        return found

    def number(self, name: str) -> Decimal:
        """Return a plain decimal number of at most eight decimals."""
        found = self.text(name)
        if not _NUMBER.fullmatch(found):
            raise illegal(name, NUMBER_RANGE)
        if len(found.partition(".")[2].rstrip("0")) > DECIMALS_MAX:
            raise too_precise(name)
        return Decimal(found)

    def whole(self, name: str) -> int | None:
        """Return an optional whole number."""
        found = self.maybe(name)
        if found is None:
            return None
        if not _WHOLE.fullmatch(found):
            raise illegal(name, "^[0-9]{1,20}$")
        return int(found)

    def limit(self, default: int, most: int) -> int:
        """Return `limit`; above the most it counts as the most."""
        found = self.whole("limit")
        if found == 0:
            raise Refused(-1130, "Invalid data sent for parameter 'limit'.")
        return min(found or default, most)

    def ware(self, exchange: Exchange, name: str = "symbol") -> Ware:
        found = exchange.wares.get(self.text(name))
        if found is None:
            raise Refused(*INVALID_SYMBOL)
        return found

    def maybe_ware(self, exchange: Exchange) -> Ware | None:
        return self.ware(exchange) if "symbol" in self._texts else None

    def without(self, *names: str) -> Params:
        return Params({k: v for k, v in self._texts.items() if k not in names})

    def signed_payload(self) -> str:
        """Return what a WS-API client signs: everything else by name, not encoded."""
        names = sorted(name for name in self._texts if name != "signature")
        return "&".join([f"{name}={self._texts[name]}" for name in names])
