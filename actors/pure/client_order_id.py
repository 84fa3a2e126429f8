"""Make the ids by which we know our own: of intents, and of orders at the exchanges. Pure.

A client order id looks like a lower-case UUIDv4, which all three exchanges accept, and
carries whose it is: the account, the ledger's epoch, and a hash of intent and attempt.

    aaaaaaaa-eeee-4eee-vhhh-hhhhhhhhhhhh
    account  epoch     8 to b, then hash

Source: Binance, error -1100: ^[a-zA-Z0-9-_]{1,36}$; Coinbase, client_oid: a UUID; Kraken,
cl_ord_id: a UUID with hyphens.
"""

from __future__ import annotations

import hashlib
import re

import attrs

TAG_DIGITS = 8  # hex digits of the account's tag
EPOCH_DIGITS = 7  # hex digits of the epoch

_SHAPE = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-4([0-9a-f]{3})-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


def account_tag(fingerprint: str) -> str:
    """Return the tag of an account: eight hex digits made of its fingerprint."""
    return _hash(fingerprint)[:TAG_DIGITS]


def epoch_text(number: int) -> str:
    """Return an epoch as its seven hex digits; higher bits of `number` are ignored."""
    return f"{number % 16**EPOCH_DIGITS:0{EPOCH_DIGITS}x}"


def client_order_id(tag: str, epoch: str, intent_id: str, attempt: int) -> str:
    """Return the id of one attempt at one intent; the same every time it is asked.

    Raises:
      ValueError: `tag` or `epoch` are not hex digits of their length.
    """
    digest = _hash(f"{tag}/{epoch}/{intent_id}/{attempt}")
    variant = "89ab"[int(digest[0], 16) % 4]
    text = (
        f"{tag}-{epoch[:4]}-4{epoch[4:]}-{variant}{digest[1:4]}-{digest[4:16]}"  # 62 bits
    )
    if not _SHAPE.fullmatch(text):
        raise ValueError(f"not a tag and an epoch: {tag[:20]!r}, {epoch[:20]!r}")
    return text


def is_ours(text: str, tag: str) -> bool:
    """Tell whether an order at the exchange was made by an engine of this account."""
    match = _SHAPE.fullmatch(text)
    return match is not None and match[1] == tag


def epoch_of(text: str) -> str | None:
    """Return the epoch inside a client order id, or None when it is not of our shape.

    An epoch that is not the ledger's own means a second engine: fence yourself off.
    """
    match = _SHAPE.fullmatch(text)
    return match[2] + match[3] if match else None


@attrs.define
class IntentIds:
    """The numbers of one actor's intents in one of its lives; never the same one twice."""

    epoch: str
    execution: str  # one per run: lives count from 1 again in the next
    actor: str
    life: int
    _number: int = 0

    def next(self) -> str:
        """Return an intent id that no life of any actor has used (I-9)."""
        self._number += 1
        return f"{self.epoch}/{self.execution}/{self.actor}/{self.life}/{self._number}"


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
