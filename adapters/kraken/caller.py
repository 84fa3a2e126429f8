"""Every private call of one key, one at a time: nonces must arrive in their order (R-30).

Questions wait for room in the key's counter; orders and cancels are not counted there, but
the trading engine counts them for each pair.

Source: docs.kraken.com, "Spot REST Rate Limits" and "Trading Rate Limits", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import msgspec
import trio

from adapters.errors import RateLimited
from adapters.http import HttpClient, NotSent
from adapters.kraken.codec.rest import decode_envelope
from adapters.kraken.nonces import Nonces
from adapters.kraken.sign import Signer, encode_body
from adapters.kraken.venue import THROTTLED, Venue
from adapters.limits import Bucket

TURN_S: Final = 5.0  # longest wait of an order for its turn
BAD_NONCE: Final = "EAPI:Invalid nonce"
LOCKOUT: Final = "EGeneral:Temporary lockout"
LOCKED: Final = Bucket(level_max=900, drain_per_s=1, is_assumed_full=False)  # seconds
KEY_TROUBLE: Final = ("EAPI:Rate limit exceeded",)
Form = Callable[[], Mapping[str, str | int]]
ADD_WEIGHT: Final = 1
CANCEL_WEIGHTS: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))  # by age_s


@attrs.frozen
class Tier:
    """What the venue grants an account of some standing."""

    calls: Bucket
    engine: Bucket  # for each pair


STARTER: Final = Tier(Bucket(15, 0.33), Bucket(60, 1.0))
TIERS: Final = {  # by the limit that the venue tells of the engine's counter
    60: STARTER,
    125: Tier(Bucket(20, 0.5), Bucket(125, 2.34)),
    180: Tier(Bucket(20, 1.0), Bucket(180, 3.75)),
}


@attrs.frozen
class Said:
    """The venue's answer: errors, or a result."""

    errors: Sequence[str]
    result: msgspec.Raw


@attrs.define(eq=False)
class Caller:
    """The one voice of a key. Nothing here repeats a request."""

    _venue: Venue
    _signer: Signer
    _nonces: Nonces
    tier: Tier = STARTER
    _turn: trio.Lock = attrs.Factory(trio.Lock)

    async def ask(
        self, path: str, params: Mapping[str, str | int], *, weight: int = 1
    ) -> msgspec.Raw:
        """Return the result of a question.

        Raises:
          VenueError: no answer, or the venue refused; says nothing about any order.
        """
        self.check_open()
        await self._venue.wait(self._calls, self.tier.calls, weight)
        async with self._turn:
            self.check_open()  # it may have closed meanwhile
            said = await self._post(self._venue.http, path, params)
        if not said.errors:
            return said.result
        self.note(said.errors[0])
        self.check_open()
        if said.errors[0].startswith(KEY_TROUBLE):
            raise RateLimited(said.errors[0], retry_after_s=1 / self.tier.calls.drain_per_s)
        raise self._venue.refusal(said.errors)

    async def order(self, path: str, form: Form) -> Said:
        """Send a request about an order once, and return what was said, whatever it is.

        `form` fills in what is sent once it is its turn: a deadline begins then.

        Raises:
          NotSent: no byte left: no turn, or requests are forbidden.
          ConnectionLost: anything may have become of it.
          RemoteProtocolError: the same; the answer cannot be read.
        """
        try:
            with trio.fail_after(TURN_S):
                await self._turn.acquire()
        except trio.TooSlowError as error:
            raise NotSent(f"the key was busy for {TURN_S:g} s") from error
        try:
            self._check_sendable()
            said = await self._post(self._venue.orders_http, path, form())
        finally:
            self._turn.release()
        if said.errors:
            self.note(said.errors[0])
        return said

    def enter_engine(self, symbol: str, *, share: float) -> None:
        """Count a new order of a pair, which has so much of the counter.

        Raises:
          RateLimited: the engine would refuse it, or others would find no room.
        """
        limits = self._venue.limits
        limits.enter(self._engine(symbol), self.tier.engine, ADD_WEIGHT, share=share)

    def enter_replacement(self, symbol: str, age_ms: int, *, share: float) -> None:
        """Count a cancel and the order that takes its place: both, or none.

        Raises:
          RateLimited: the engine would refuse the second, which leaves neither.
        """
        weight = cancel_weight(age_ms) + ADD_WEIGHT
        limits = self._venue.limits
        limits.enter(self._engine(symbol), self.tier.engine, weight, share=share)

    def count_cancel(self, symbol: str, age_ms: int) -> None:
        """Count a cancel, which is never held back (I-12)."""
        weight = cancel_weight(age_ms)
        self._venue.limits.count(self._engine(symbol), self.tier.engine, weight)

    def fill_engine(self, symbol: str) -> None:
        """Take the venue's word that the pair's counter is at its limit."""
        self._venue.limits.fill(self._engine(symbol), self.tier.engine)

    def learn_tier(self, rate_count_max: int) -> None:
        """Take the account's standing from the limit that the venue has told."""
        self.tier = TIERS.get(rate_count_max, self.tier)

    @property
    def _calls(self) -> str:
        return f"calls {self._signer.print_()}"

    @property
    def _lockout(self) -> str:
        return f"lockout {self._signer.print_()}"

    def _engine(self, symbol: str) -> str:
        return f"engine {self._signer.print_()} {symbol}"

    def check_open(self) -> None:
        """Let nothing of this account through while the venue forbids it (R-28).

        Raises:
          RateLimited: says for how long.
        """
        self._venue.limits.check_open()
        left_s = self._venue.limits.wait_s(self._lockout, LOCKED, LOCKED.level_max)
        if left_s > 0:
            raise RateLimited("the account is locked out", retry_after_s=left_s)

    def _check_sendable(self) -> None:
        try:
            self.check_open()
        except RateLimited as error:
            raise NotSent(str(error)) from error

    def note(self, text: str) -> None:
        """Learn from a refusal what the next call must heed."""
        if text.startswith(THROTTLED):
            self._venue.refusal((text,))  # which closes the gate, whatever was asked
        if text.startswith(LOCKOUT):
            self._venue.limits.fill(self._lockout, LOCKED)
        if text.startswith(BAD_NONCE):
            self._nonces.leap()
        if text.startswith(KEY_TROUBLE):
            self._venue.limits.fill(self._calls, self.tier.calls)

    async def _post(
        self, http: HttpClient, path: str, params: Mapping[str, str | int]
    ) -> Said:
        target = f"/0/private/{path}"
        nonce = self._nonces.next()
        body = encode_body(nonce, params)
        headers = self._signer.headers(target, nonce, body)
        answer = await self._venue.send(http, "POST", target, headers=headers, body=body)
        return Said(*decode_envelope(answer.body))


def cancel_weight(age_ms: int) -> int:
    """Return what the engine counts for a cancel: the younger the order, the more."""
    return next((w for age_s, w in CANCEL_WEIGHTS if age_ms < age_s * 1000), 0)
