"""Signatures against the venue's own known answers, and keys that stay at home."""

from __future__ import annotations

import attrs
import pytest

from adapters.binance.sign import Signer, encode_query, sign
from adapters.binance.venue import stream_url
from adapters.endpoints import Endpoints, ForeignHost, check_keys_may_go

# Published by the venue for everybody to check against: rest-api.md, web-socket-api.md.
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
WIDE = "１２３４５６"  # noqa: RUF001 -- the venue's example has these digits


@attrs.frozen(repr=False)
class Sealed:
    value: str

    def reveal(self) -> str:
        return self.value


SIGNER = Signer(Sealed(KEY), Sealed(SECRET))
REST_ORDER = {
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "0.1",
    "recvWindow": 5000,
    "timestamp": 1499827319559,
}


@pytest.mark.parametrize(
    ("symbol", "signature"),
    [
        ("LTCBTC", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        (WIDE, "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"),
    ],
)
def test_rest_signatures_are_the_published_ones(symbol: str, signature: str) -> None:
    query = SIGNER.query({"symbol": symbol, **REST_ORDER})
    assert query.endswith(f"&signature={signature}")


@pytest.mark.parametrize(
    ("params", "signature"),
    [
        (
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "0.01000000",
                "price": "52000.00",
                "recvWindow": 100,
                "timestamp": 1645423376532,
            },
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            {
                "symbol": WIDE,
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1.00000000",
                "price": "0.10000000",
                "recvWindow": 5000,
                "timestamp": 1645423376532,
            },
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        ),
    ],
)
def test_ws_api_signatures_are_the_published_ones(
    params: dict[str, str | int], signature: str
) -> None:
    signed = SIGNER.params(params)
    assert (signed["signature"], signed["apiKey"]) == (signature, KEY)


def test_what_is_signed_is_what_is_sent() -> None:
    query = SIGNER.query({"symbol": "A&B=C D/é", "timestamp": 1})
    sent, _, signature = query.rpartition("&signature=")
    assert sent == encode_query({"symbol": "A&B=C D/é", "timestamp": 1})
    assert sent.isascii()
    assert signature == sign(sent, Sealed(SECRET))


def test_a_signer_does_not_show_its_secrets() -> None:
    shown = f"{SIGNER!r} {SIGNER}"
    assert KEY not in shown
    assert SECRET not in shown


def test_keys_go_to_the_venue() -> None:
    check_keys_may_go("binance", Endpoints().of("binance"), allow_foreign_host=False)


@pytest.mark.parametrize(
    "endpoints",
    [
        Endpoints(rest_url="https://api.binance.com.evil.test"),
        Endpoints(ws_api_url="wss://evil.test/ws-api/v3"),
        Endpoints(rest_url="https://api.binance.com@evil.test"),
        Endpoints(rest_url="http://api.binance.com"),
        Endpoints(ws_api_url="ws://ws-api.binance.com/ws-api/v3"),
        Endpoints(rest_url="http://127.0.0.1:9010"),
    ],
)
def test_keys_go_nowhere_else_unless_the_config_says_so(endpoints: Endpoints) -> None:
    known = endpoints.of("binance")
    with pytest.raises(ForeignHost):
        check_keys_may_go("binance", known, allow_foreign_host=False)
    check_keys_may_go("binance", known, allow_foreign_host=True)


def test_the_stream_address_is_the_combined_one() -> None:
    assert stream_url(Endpoints().of("binance")) == ("wss://stream.binance.com:9443/stream")
    assert stream_url(Endpoints(url="ws://127.0.0.1:9/stream")) == (
        "ws://127.0.0.1:9/stream"
    )
