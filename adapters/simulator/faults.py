"""The script of what goes wrong: when, for how long, for whom.

A fault begins at `at_s`, again every `every_s`, or when the venue has taken `after_orders`
orders; it lasts `duration_s`, or until it has struck `times` times.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import attrs
import msgspec

Kind = Literal[
    "silence",  # acks, but no data
    "half_open",  # no bytes any more, in either direction, on connections of now
    "garbage",  # frames that cannot be read
    "duplicate",  # every event twice
    "reorder",  # events in pairs, the second first
    "lost_ack",  # the order is taken, the answer is not sent
    "late_ack",  # the answer comes `delay_s` later
    "rate_limit",  # 429 to every request
    "ban",  # 418 to every request
    "server_error",  # the order is taken, the answer is 5xx: outcome unknown
    "clock_skew",  # the venue's clock is `skew_ms` ahead
    "disconnect",  # every connection is cut once
    "storm",  # connections are accepted, then cut at once
    "server_shutdown",  # the event is sent; the connections are cut `delay_s` later
    "refuse",  # the port is closed
    "purge",  # every open order is cancelled once, at nobody's request
    "late_orders",  # queries see orders as they were `delay_s` ago
    "late_fills",  # queries see executions as they were `delay_s` ago
]
Connection = Literal["stream", "ws_api", "rest"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the script. `symbol` and `connection` "" mean all."""

    kind: Kind
    at_s: float | None = None
    every_s: float = 0.0
    after_orders: int = 0
    duration_s: float = 5.0
    times: int = 0  # 0: as often as it applies
    symbol: str = ""  # "BTC/USDT"
    connection: Literal["", "stream", "ws_api", "rest"] = ""
    delay_s: float = 1.0
    skew_ms: int = 5000


class _Script(msgspec.Struct, forbid_unknown_fields=True):
    faults: tuple[Fault, ...] = ()


class BadFaults(ValueError):
    """The fault script cannot be read; the text says where and why."""


def read_faults(path: Path) -> tuple[Fault, ...]:
    """Return the faults of a TOML file: one `[[faults]]` table each.

    Raises:
      BadFaults: not TOML, or a fault that makes no sense.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(document, _Script).faults
    except OSError as error:
        raise BadFaults(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError, msgspec.ValidationError) as error:
        raise BadFaults(f"{path}: {error}") from error


def read_fault(body: bytes) -> Fault:
    """Return one fault read from JSON.

    Raises:
      BadFaults: it makes no sense.
    """
    try:
        return msgspec.json.decode(body, type=Fault)
    except msgspec.MsgspecError as error:
        raise BadFaults(str(error)) from error


@attrs.define(eq=False)
class Active:
    """A fault that is going on."""

    fault: Fault
    began_ms: int
    struck: int = 0


class Faults:
    """What is going wrong now. Those who serve ask; nobody is told."""

    def __init__(self) -> None:
        self._active: list[Active] = []
        self.struck: dict[str, int] = {}  # by kind, for the truth

    @property
    def any(self) -> bool:
        return bool(self._active)

    def begin(self, fault: Fault, now_ms: int) -> Active:
        active = Active(fault, now_ms)
        self._active.append(active)
        return active

    def end(self, active: Active) -> None:
        if active in self._active:
            self._active.remove(active)

    def strike(self, kind: Kind, connection: Connection, symbol: str = "") -> Fault | None:
        """Return the fault of `kind` that hits this, counted as a hit; or None."""
        for active in self._active:
            fault = active.fault
            if (
                fault.kind == kind
                and fault.connection in {"", connection}
                and fault.symbol in {"", symbol}
            ):
                active.struck += 1
                self.count(kind)
                if active.struck == fault.times:
                    self._active.remove(active)
                return fault
        return None

    def count(self, kind: Kind) -> None:
        """Remember, for the truth, that something was hit."""
        self.struck[kind] = self.struck.get(kind, 0) + 1

    def horizon_ms(self, kind: Kind, now_ms: int) -> int | None:
        """Return until when a store that lags has what happened; None: all of it.

        What it had when the lag began it keeps.
        """
        if not self._active:
            return None
        found = [
            max(active.began_ms, now_ms - int(active.fault.delay_s * 1000))
            for active in self._active
            if active.fault.kind == kind
        ]
        return min(found, default=None)

    def skew_ms(self) -> int:
        """Return how far the venue's clock is ahead."""
        return sum(a.fault.skew_ms for a in self._active if a.fault.kind == "clock_skew")
