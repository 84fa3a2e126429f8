"""What can go wrong outside. Who is at fault decides the name.

The errors that actors must tell apart are declared beside the ports that raise them.
"""

from __future__ import annotations

from actors.ports import (
    Archived,
    ConnectionLost,
    NotListed,
    RateLimited,
    RemoteProtocolError,
    VenueError,
    VenueRefused,
)

__all__ = [
    "Archived",
    "ConnectionLost",
    "LocalProtocolError",
    "NotListed",
    "RateLimited",
    "RemoteProtocolError",
    "VenueError",
    "VenueRefused",
]


class LocalProtocolError(Exception):
    """We asked for something the venue's documentation forbids: a defect of ours."""
