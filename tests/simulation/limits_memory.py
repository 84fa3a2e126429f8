"""What the simulated machine remembers of the venue's limits, over its processes."""

from __future__ import annotations

import attrs

from adapters.kraken.nonces import RamNonces
from adapters.spent import Change, Spent
from tests.simulation.network import Owner


@attrs.define(eq=False)
class LimitsFile:
    """The file: what processes see of it, and what a power loss leaves."""

    written: Spent | None = None
    lasting: Spent | None = None

    def process_died(self, *, is_power_lost: bool) -> None:
        if is_power_lost:
            self.written = self.lasting


@attrs.define(eq=False)
class SimMemory:
    """The file as one process has it; implements `adapters.spent.Memory`."""

    _file: LimitsFile
    _owner: Owner

    def look(self) -> Spent | None:
        return self._file.written

    def change(self, how: Change, *, must_last: bool = False) -> Spent:
        spent = how(self._file.written or Spent())
        if not self._owner.is_dead:
            self._file.written = spent
            if must_last:
                self._file.lasting = spent
        return spent


@attrs.define(eq=False)
class SimNonces:
    """The machine's nonces as one process has them (`adapters.kraken.nonces`)."""

    _file: RamNonces
    _owner: Owner

    def look(self) -> int:
        return self._file.look()

    def keep(self, nonce: int) -> None:
        if not self._owner.is_dead:
            self._file.keep(nonce)
