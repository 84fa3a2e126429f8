"""Name the feed's channels, and write the commands that choose them.

The acknowledgement lists everything that is subscribed to now, some of it by older names.

Source: Exchange WebSocket channels; frames of 2026-08-25 and 2026-10-03.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from actors.messages import Channel

TICKER: Final = "ticker"
TICKER_BATCH: Final = "ticker_batch"  # the same messages, every five seconds
MATCHES: Final = "matches"
LEVEL2: Final = "level2_batch"
HEARTBEAT: Final = "heartbeat"
STATUS: Final = "status"
USER: Final = "user"

CARRIES: Final[Mapping[Channel, str]] = {
    Channel.TICKER: TICKER,
    Channel.TRADES: MATCHES,
    Channel.BOOK: LEVEL2,
    Channel.BOOK_TOP: LEVEL2,  # a ticker's best prices are as old as the last trade
}
_ACK_NAME: Final = {"ticker_1000": TICKER_BATCH, "level2_50": LEVEL2}


def present_name(name: str) -> str:
    """Return the name to subscribe by of a channel as an acknowledgement calls it."""
    return _ACK_NAME.get(name, name)


def encode_command(
    kind: str,
    channels: Mapping[str, Sequence[str]],
    signature: Mapping[str, str] | None = None,
) -> str:
    """Return a "subscribe" or "unsubscribe" frame for the products of each channel."""
    body: dict[str, object] = {
        "type": kind,
        "channels": [
            {"name": name, "product_ids": list(products)}
            for name, products in channels.items()
        ],
    }
    return msgspec.json.encode({**body, **(signature or {})}).decode()
