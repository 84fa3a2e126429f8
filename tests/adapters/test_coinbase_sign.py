"""Signatures against known answers, and tokens that an independent library accepts."""

from __future__ import annotations

import base64
from typing import Any

import attrs
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from adapters.coinbase.sign import AdvancedSigner, ExchangeSigner
from adapters.secrets import SecretError

# bennycode/coinbase-pro-node (MIT), src/auth/RequestSigner.test.ts: a secret made up there
SECRET = (
    "kv+3DPw2yHWQWkDsmpN4uXWtgtuBrFFLu7zRk9gipjdrFpUjwZ0mK6KzGAPFpxOjDLdna20xozy"
    "+9fqRU5zJZQ=="
)
ORDER = (
    '{"type":"limit","side":"buy","product_id":"BTC-USD","price":"100.00","size":"0.01",'
    '"client_oid":"0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90"}'
)
NAME = "organizations/0e8d/apiKeys/51b7"
NOW_MS = 1_700_000_000_250


@attrs.frozen(repr=False)
class Sealed:
    value: str

    def reveal(self) -> str:
        return self.value


SIGNER = ExchangeSigner(Sealed("the-key"), Sealed(SECRET), Sealed("the-passphrase"))


@pytest.mark.parametrize(
    ("stamp", "method", "target", "body", "signature"),
    [
        (
            "1580066918.897",
            "GET",
            "/fills?product_id=BTC-EUR",
            "",
            "qGB3X7LOAhNXPpRqV73F08sMU1hKuX+s7vQypcEErV8=",
        ),
        (
            "1700000000",
            "GET",
            "/users/self/verify",
            "",
            "On7vA+7oELy1/iVbzUHi1HWBa+qQBT5OS49CGdO/AnU=",
        ),
        (
            "1700000000",
            "POST",
            "/orders",
            ORDER,
            "9UcyGrYKAGmC/Xx7/YvHWOqgGowReSjA3tpcblpfjyE=",
        ),
        (
            "1700000000",
            "DELETE",
            "/orders/client:0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90?product_id=BTC-USD",
            "",
            "pwzxRUcNS99J+wiIHYIWOMXwp8uQktnQCPTVAWn0g8Q=",
        ),
    ],
)
def test_exchange_signatures_are_the_known_ones(
    stamp: str, method: str, target: str, body: str, signature: str
) -> None:
    assert SIGNER.sign(stamp, method, target, body.encode()) == signature


def test_a_request_carries_key_passphrase_time_and_signature() -> None:
    headers = SIGNER.headers("GET", "/fills?product_id=BTC-EUR", b"", 1_580_066_918_897)
    assert headers == {
        "CB-ACCESS-KEY": "the-key",
        "CB-ACCESS-SIGN": "qGB3X7LOAhNXPpRqV73F08sMU1hKuX+s7vQypcEErV8=",
        "CB-ACCESS-TIMESTAMP": "1580066918.897",
        "CB-ACCESS-PASSPHRASE": "the-passphrase",
    }


def test_a_subscription_is_signed_as_a_request_that_is_never_made() -> None:
    assert SIGNER.subscription(1_700_000_000_999) == {
        "signature": "On7vA+7oELy1/iVbzUHi1HWBa+qQBT5OS49CGdO/AnU=",
        "key": "the-key",
        "passphrase": "the-passphrase",
        "timestamp": "1700000000",
    }


def elliptic() -> tuple[AdvancedSigner, Any]:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    return AdvancedSigner(Sealed(NAME), Sealed(pem)), private.public_key()


def edwards(*, with_public: bool) -> tuple[AdvancedSigner, Any]:
    private = ed25519.Ed25519PrivateKey.generate()
    raw = private.private_bytes_raw()
    if with_public:
        raw += private.public_key().public_bytes_raw()
    secret = base64.b64encode(raw).decode()
    return AdvancedSigner(Sealed(NAME), Sealed(secret)), private.public_key()


def read(token: str, public: Any) -> dict[str, Any]:
    """Return the claims, verified, as of the moment they were made at."""
    return jwt.decode(
        token,
        public,
        algorithms=["ES256", "EdDSA"],
        options={"verify_exp": False, "verify_nbf": False, "require": ["exp", "nbf"]},
    )


@pytest.mark.parametrize(
    ("made", "algorithm"),
    [
        (elliptic(), "ES256"),
        (edwards(with_public=True), "EdDSA"),
        (edwards(with_public=False), "EdDSA"),
    ],
)
def test_tokens_verify_and_name_their_request(
    made: tuple[AdvancedSigner, Any], algorithm: str
) -> None:
    signer, public = made
    headers = signer.headers("GET", "api.coinbase.com", "/api/v3/brokerage/x", NOW_MS)
    token = headers["Authorization"].removeprefix("Bearer ")
    assert read(token, public) == {
        "sub": NAME,
        "iss": "cdp",
        "nbf": 1_699_999_995,
        "exp": 1_700_000_115,
        "uri": "GET api.coinbase.com/api/v3/brokerage/x",
    }
    head = jwt.get_unverified_header(token)
    assert (head["alg"], head["kid"], len(head["nonce"])) == (algorithm, NAME, 32)


def test_the_token_of_a_subscription_names_no_request() -> None:
    signer, public = elliptic()
    assert "uri" not in read(signer.token(NOW_MS), public)


def test_no_two_tokens_have_the_same_nonce() -> None:
    signer, _ = elliptic()
    nonces = {jwt.get_unverified_header(signer.token(NOW_MS))["nonce"] for _ in range(50)}
    assert len(nonces) == 50


def test_a_token_of_another_key_does_not_verify() -> None:
    signer, _ = elliptic()
    _, stranger = elliptic()
    with pytest.raises(jwt.InvalidSignatureError):
        read(signer.token(NOW_MS), stranger)


def test_a_key_in_one_line_with_written_line_ends_is_read() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    signer = AdvancedSigner(Sealed(NAME), Sealed(pem.replace("\n", "\\n")))
    assert read(signer.token(NOW_MS), private.public_key())["sub"] == NAME


def other_curve() -> str:
    private = ec.generate_private_key(ec.SECP384R1())
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize(
    "secret",
    [
        "canary-not-a-key",
        base64.b64encode(b"canary").decode(),
        "-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----",
        other_curve(),
    ],
)
def test_a_secret_that_signs_nothing_is_refused_and_never_shown(secret: str) -> None:
    with pytest.raises(SecretError) as refused:
        AdvancedSigner(Sealed(NAME), Sealed(secret)).check()
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_exchange_secret_is_base64_or_refused() -> None:
    SIGNER.check()
    with pytest.raises(SecretError, match="base64"):
        ExchangeSigner(Sealed("k"), Sealed("canary!"), Sealed("p")).check()


def test_signers_print_as_nothing() -> None:
    signer, _ = elliptic()
    assert SECRET not in repr(SIGNER)
    assert "PRIVATE" not in repr(signer)
