"""API-Sign against the venue's own known answer; nonces that only rise; keys at home."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

import attrs
import pytest

from adapters.clock import SystemClock
from adapters.endpoints import ForeignHost
from adapters.files import StateUnusable
from adapters.kraken import Endpoints, open_kraken
from adapters.kraken.nonces import AHEAD, NonceFile, Nonces, RamNonces
from adapters.kraken.sign import Signer, encode_body, sign
from adapters.secrets import SecretError
from tests.adapters.binance_desk import Sealed
from tests.adapters.kraken_desk import KEYS

# Published by the venue for everybody to check against: "Spot REST Authentication".
SECRET = Sealed(
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)
NONCE = 1616492376594
PATH = "/0/private/AddOrder"
ORDER = {
    "ordertype": "limit",
    "pair": "XBTUSD",
    "price": "37500",
    "type": "buy",
    "volume": "1.25",
}
SIGNATURE = (
    "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtn"
    "Rfp32bAb0nmbRn6H8ndwLUQ=="
)


def test_the_published_call_has_the_published_signature() -> None:
    body = encode_body(NONCE, ORDER)
    assert body == (
        b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    )
    assert sign(PATH, NONCE, body, SECRET) == SIGNATURE


def test_the_headers_carry_key_and_signature_and_nothing_shows_them() -> None:
    signer = Signer(Sealed("canary-key"), SECRET)
    headers = signer.headers(PATH, NONCE, encode_body(NONCE, ORDER))
    assert (headers["api-key"], headers["api-sign"]) == ("canary-key", SIGNATURE)
    shown = f"{signer!r} {signer} {signer.print_()}"
    assert "canary" not in shown
    assert SECRET.value not in shown


@pytest.mark.parametrize("secret", ["not base64!", "abc", "ümlaut=="])
def test_a_secret_that_is_no_base64_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        Signer(Sealed("key"), Sealed(secret))
    assert secret not in str(caught.value)


@attrs.define
class Clock:
    wall_ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.wall_ms

    def awake_s(self) -> float:
        return 0.0

    def elapsed_s(self) -> float:
        return 0.0


def test_nonces_rise_while_the_clock_stands_and_goes_back() -> None:
    clock = Clock()
    nonces = Nonces(clock, RamNonces())
    drawn = [nonces.next() for _ in range(3)]
    clock.wall_ms -= 3_600_000
    drawn += [nonces.next() for _ in range(3)]
    clock.wall_ms += 7_200_000
    drawn += [nonces.next()]
    assert drawn == sorted(set(drawn))
    assert drawn[-1] == clock.wall_ms * 10**6


def test_nonces_rise_over_processes_that_are_killed(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "kraken.nonce"
    highest = 0
    for _ in range(20):
        nonces = Nonces(clock, NonceFile(path))
        for _ in range(3):
            nonce = nonces.next()
            assert nonce > highest
            highest = nonce
        clock.wall_ms -= 1000  # and the clock is set back between them
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert highest < int(path.read_text()) <= highest + AHEAD


def test_a_nonce_the_venue_finds_too_low_is_followed_by_a_much_higher_one() -> None:
    nonces = Nonces(Clock())
    first = nonces.next()
    nonces.leap()
    second = nonces.next()
    nonces.leap()
    assert second - first > 10**9
    assert nonces.next() - second > 2 * 10**9


class FullDisk(RamNonces):
    is_full = True
    tries = 0

    def keep(self, nonce: int) -> None:
        self.tries += 1
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().keep(nonce)


def test_nonces_rise_also_where_they_cannot_be_remembered() -> None:
    """D-2: exits go out while the disk is full; later it is told what was used."""
    clock, memory = Clock(), FullDisk()
    nonces = Nonces(clock, memory)
    drawn = [nonces.next() for _ in range(3)]
    assert (memory.look(), memory.tries) == (0, 1)
    clock.wall_ms -= 3_600_000
    drawn += [nonces.next()]
    clock.wall_ms += 3_602_000
    memory.is_full = False
    drawn += [nonces.next()]
    assert drawn == sorted(set(drawn))
    assert memory.look() > drawn[-1]


@pytest.mark.parametrize("content", ["", "17x", "9" * 21, "-5"])
def test_a_nonce_that_cannot_be_read_is_never_guessed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kraken.nonce"
    path.write_text(content)
    with pytest.raises(StateUnusable, match="holds no nonce"):
        Nonces(Clock(), NonceFile(path))


def test_a_full_disk_takes_a_nonce_in_the_place_of_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-2: without a nonce no exit and no cancel leaves over REST."""
    clock, path = Clock(), tmp_path / "a.nonce"
    first = Nonces(clock, NonceFile(path)).next()

    def refuse(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr("adapters.kraken.nonces.write_private", refuse)
    clock.wall_ms += 120_000
    second = Nonces(clock, NonceFile(path)).next()
    assert second > first + AHEAD
    assert NonceFile(path).look() == second + AHEAD
    with pytest.raises(OSError, match="No such file"):
        NonceFile(tmp_path / "b.nonce").keep(1)


@pytest.mark.parametrize(
    "endpoints",
    [
        Endpoints(rest_url="https://api.kraken.com.evil.test"),
        Endpoints(ws_api_url="wss://ws-auth.kraken.com.evil.test/v2"),
        Endpoints(rest_url="http://api.kraken.com"),
        Endpoints(ws_api_url="ws://ws-auth.kraken.com/v2"),
    ],
)
async def test_keys_go_to_the_venue_and_nowhere_else(endpoints: Endpoints) -> None:
    async with open_kraken(endpoints, clock=SystemClock()) as kraken:
        with pytest.raises(ForeignHost):
            kraken.trading(*KEYS)
    async with open_kraken(clock=SystemClock()) as kraken:
        kraken.trading(*KEYS)
