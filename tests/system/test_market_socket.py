"""The config chooses what reads public market data; where it says nothing, the faster."""

from __future__ import annotations

import pytest

from actors.fleet_venues import Opening
from actors.pure.config import Config, load
from adapters.endpoints import Endpoints
from adapters.sockets import OpenSocket
from adapters.websocket import open_websocket
from adapters.websocket_busy import open_busy_websocket
from tests.pure.config_text import BASE


@pytest.mark.parametrize(
    ("line", "opened"),
    [
        ("", open_busy_websocket),
        ('market_socket = "websockets"', open_busy_websocket),
        ('market_socket = "trio-websocket"', open_websocket),
    ],
)
def test_the_config_names_the_socket(line: str, opened: OpenSocket) -> None:
    config = load(f"{BASE}[exchanges.binance]\n{line}\n", "bots.toml")
    assert isinstance(config, Config)
    opening = Opening(config.exchanges["binance"], Endpoints(), {})
    assert opening.open_socket is opened
