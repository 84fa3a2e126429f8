"""What the journal tells of the disk under the ledger."""

from __future__ import annotations

import attrs


@attrs.frozen
class LedgerState:
    """Whether new risk may be begun on this ledger; the newest word counts (D-2)."""

    safe_because: str = ""  # why not: SAFE mode, exits only; "" when all is well
    takes_rows: bool = True  # False: an exit need not ask before it goes without
