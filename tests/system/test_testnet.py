"""What `just testnet` runs is good, and says what it lacks; no venue is asked here."""

from __future__ import annotations

import pytest

from actors.pure.config_endpoints import ENDPOINTS
from tests.system.testnet import PLACES, Place, main, problems


@pytest.mark.parametrize(
    "place",
    PLACES,
    ids=lambda place: place.exchange,
)
def test_the_configuration_of_each_test_environment_is_good(place: Place) -> None:
    assert problems(place) == ""


def test_there_is_one_for_each_exchange() -> None:
    assert {place.exchange for place in PLACES} == ENDPOINTS.keys()


def test_without_keys_and_network_it_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in PLACES:
        for name in place.keys.values():
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("socket.create_connection", _unreachable)
    assert main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "binance: not run, it needs SHOAL_BINANCE_TESTNET_KEY, "
        "SHOAL_BINANCE_TESTNET_SECRET",
        "coinbase: not run, it needs SHOAL_COINBASE_SANDBOX_KEY, "
        "SHOAL_COINBASE_SANDBOX_SECRET, SHOAL_COINBASE_SANDBOX_PASSPHRASE",
        "kraken: beta-ws.kraken.com: Network is unreachable",
        "0 of 3 test environments were tried, 0 without success",
    ]


def _unreachable(address: tuple[str, int], timeout_s: float) -> None:
    raise OSError(101, "Network is unreachable")
