"""Secrets: where they come from, a type that never shows them, and what hides them.

S-1: by reference only. S-2: everything but `reveal` gives "***". S-3: the log sink
passes each finished line through `Redaction`, the ledger and the operators' desk their
JSON.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import stat
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import quote, quote_plus

HIDDEN: Final = "***"
LINE_MIN: Final = 16  # a line of a PEM file is hidden by itself; its shortest may be noise
BYTES_MAX: Final = 65_536

# What a request carries that no log may: matched by name, whatever the value is.
PATTERNS: Final = re.compile(
    r"(?i)\b(signature|api[-_]?key|x-mbx-apikey|api[-_]?sign|secret|passphrase|token|listenkey)"
    r"(['\"]?\s*[=:]\s*b?['\"]?)([^\s&'\",;)}\]]+)"
)


class SecretError(Exception):
    """A secret cannot be had; the text says which reference and why, never the value."""


class Secret:
    """A value that prints, formats, pickles and copies as "***"."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the value. Only signers call this."""
        return self.__value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (HIDDEN,)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.__value)

    def __bool__(self) -> bool:
        return bool(self.__value)


def resolve(reference: str, environment: Mapping[str, str] = os.environ) -> Secret:
    """Return the secret that "env:NAME" or "file:/path" names.

    Raises:
      SecretError: there is none, or others could have read the file.
    """
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        value = environment.get(name, "")
    elif scheme == "file":
        value = _read(name)
    else:
        raise SecretError('a secret is named by reference: "env:NAME" or "file:/path"')
    if not value.strip():
        raise SecretError(f"{reference} is empty or not set")
    return Secret(value.strip())


class Redaction:
    """Hides every secret it has been told of, in all the shapes it may take in a text."""

    def __init__(self) -> None:
        self._shapes: list[str] = []
        self._encoded: list[bytes] = []  # of a length that no field's name has

    def learn(self, secret: Secret) -> Secret:
        """Hide `secret` from now on; return it."""
        value = secret.reveal()
        found = {*self._shapes, *_shapes(value)}
        for line in value.splitlines():
            if len(line) >= LINE_MIN:
                found |= _shapes(line)
        self._shapes = sorted(found - {""}, key=lambda shape: (-len(shape), shape))
        self._encoded = [each.encode() for each in self._shapes if len(each) >= LINE_MIN]
        return secret

    def clean(self, text: str) -> str:
        """Return `text` without secrets: by value, then by the names they go by."""
        for shape in self._shapes:
            if shape in text:
                text = text.replace(shape, HIDDEN)
        return PATTERNS.sub(rf"\1\2{HIDDEN}", text)

    def clean_json(self, text: bytes) -> bytes:
        """Return JSON without secrets, by value; short ones might be names of fields."""
        for shape in self._encoded:
            if shape in text:
                text = text.replace(shape, HIDDEN.encode())
        return text


def _shapes(value: str) -> set[str]:
    """Return how a value looks in URLs, JSON, Python's repr, headers and hex."""
    raw = value.encode()
    return {
        value,
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
    }


def _read(path: str) -> str:
    """Return the text of a file that only its owner, us, can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        what = "is a symbolic link" if os.path.islink(path) else error.strerror
        raise SecretError(f"file:{path}: {what}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            _refuse(path, "is not a regular file")
        if found.st_uid != os.geteuid():
            _refuse(path, "belongs to another user")
        if found.st_mode & 0o077:
            _refuse(path, f"can be read by others: chmod 600 {path}")
        content = os.read(descriptor, BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > BYTES_MAX:
        _refuse(path, f"is larger than {BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        _refuse(path, "is not text")


def _refuse(path: str, why: str) -> NoReturn:
    raise SecretError(f"file:{path}: {why}") from None
