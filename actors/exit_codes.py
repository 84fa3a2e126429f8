"""What the exit code of `shoal` says."""

from __future__ import annotations

OK = 0
BAD_INPUT = 2
ESCALATED = 70  # an actor that the fleet cannot do without was given up (EX_SOFTWARE)
FORCED = 75  # the goodbyes were cut short (EX_TEMPFAIL)
