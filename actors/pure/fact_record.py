"""Some facts as one piece of bytes, for the emergency file: all of them or none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from actors.messages import Fact
from actors.pure.facts import UnreadableFact, decode, encode, kind_of

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[tuple[str, msgspec.Raw]])


def pack(facts: Sequence[Fact]) -> bytes:
    """Return facts as one record: kind and JSON of each, in order.

    Raises:
      ValueError: a number is not finite, or a text is not Unicode.
    """
    return _ENCODER.encode([(kind_of(type(f)), msgspec.Raw(encode(f))) for f in facts])


def unpack(record: bytes) -> tuple[Fact, ...]:
    """Return the facts of one record.

    Raises:
      UnreadableFact: a newer Shoal wrote it, or it is no record.
    """
    try:
        found = _DECODER.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFact(f"emergency record: {error}") from error
    return tuple(decode(kind, bytes(body)) for kind, body in found)
