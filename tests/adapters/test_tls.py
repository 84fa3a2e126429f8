"""TLS: who is trusted, for which hosts, and what is said when a file is no good (S-9)."""

from __future__ import annotations

import ssl
from decimal import Decimal
from pathlib import Path

import pytest
import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    VenueAck,
    VenueReject,
)
from actors.ports import Trading
from adapters.binance import Endpoints, ForeignHost, open_binance
from adapters.binance.trading import NOT_SENT
from adapters.clock import SystemClock
from adapters.errors import VenueError
from adapters.simulator.server import Simulator
from adapters.streams import (
    PRIVATE_KEY,
    CertificateUnusable,
    tls,
    tls_serving,
    tls_trusting,
)
from tests.adapters.binance_desk import Sealed
from tests.adapters.simulator_desk import ANN, CONFIG
from tests.authority import write_authority

KEYS = (Sealed(ANN.key), Sealed(ANN.secret))
BUY = OrderRequest("one", "BTC/USDT", Side.BUY, OrderType.MARKET, Decimal("0.01"))


async def endpoints_of(nursery: trio.Nursery, folder: Path) -> Endpoints:
    simulator = Simulator(CONFIG, tls=tls_serving(folder))
    where = await nursery.start(simulator.run)
    return Endpoints(where.url, where.ws_api_url, where.rest_url)


async def test_orders_and_streams_go_inside_tls_that_a_given_authority_vouches_for(
    nursery: trio.Nursery, tmp_path: Path
) -> None:
    ca_file = write_authority(tmp_path)
    endpoints = await endpoints_of(nursery, tmp_path)
    assert endpoints.rest_url.startswith("https://127.0.0.1:")
    async with open_binance(
        endpoints, clock=SystemClock(), allow_foreign_host=True, ca_file=ca_file
    ) as binance:
        trading = binance.trading(*KEYS)
        async with binance.market.open_stream(), trading.open_private() as private:
            by_rest = await trading.cancel("BTC/USDT", "nobody")
            with trio.fail_after(5):
                ack = await _place_by_socket(trading)
                heard = await private.receive()
    assert isinstance(by_rest, VenueReject)
    assert by_rest.code == "-2011"
    assert isinstance(ack, VenueAck)
    assert ack.status is OrderStatus.FILLED
    assert heard


async def _place_by_socket(trading: Trading) -> object:
    async with trading.open_orders_connection() as serve, trio.open_nursery() as serving:
        serving.start_soon(serve)
        ack = await trading.place(BUY)
        serving.cancel_scope.cancel()
    return ack


@pytest.mark.parametrize("whose", ["another CA", "nobody", "another name"])
async def test_nothing_is_said_to_a_host_that_nobody_trusted_vouches_for(
    nursery: trio.Nursery, tmp_path: Path, whose: str
) -> None:
    name = "elsewhere.test" if whose == "another name" else "127.0.0.1"
    ca_file = write_authority(tmp_path / "theirs", name)
    endpoints = await endpoints_of(nursery, tmp_path / "theirs")
    trusted = {"another CA": write_authority(tmp_path / "ours"), "nobody": None}.get(
        whose, ca_file
    )
    async with open_binance(
        endpoints, clock=SystemClock(), allow_foreign_host=True, ca_file=trusted
    ) as binance:
        trading = binance.trading(*KEYS)
        placed = await trading.place(BUY)
        assert isinstance(placed, VenueReject)
        assert placed.code == NOT_SENT
        assert "its certificate is not trusted" in placed.reason
        with pytest.raises(VenueError, match="its certificate is not trusted"):
            async with trading.open_orders_connection():
                pass


@pytest.mark.parametrize("host", ["api.binance.com", "API.binance.com", "api.binance.com."])
async def test_nobody_else_vouches_for_the_venue_itself(tmp_path: Path, host: str) -> None:
    ca_file = write_authority(tmp_path)
    endpoints = Endpoints("wss://localhost/ws", "wss://localhost/x", f"https://{host}")
    with pytest.raises(ForeignHost, match="needs no ca_file"):
        async with open_binance(endpoints, clock=SystemClock(), ca_file=ca_file):
            pass


def test_a_given_authority_is_the_only_one_and_as_strict(tmp_path: Path) -> None:
    context, usual = tls_trusting(write_authority(tmp_path)), tls()
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is usual.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is usual.minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_are_no_good_are_named(tmp_path: Path) -> None:
    with pytest.raises(CertificateUnusable, match=r"gone\.pem: No such file"):
        tls_trusting(tmp_path / "gone.pem")
    (tmp_path / "text.pem").write_text("text")
    with pytest.raises(CertificateUnusable, match=r"text\.pem: not PEM"):
        tls_trusting(tmp_path / "text.pem")
    with pytest.raises(CertificateUnusable, match=r"certificate\.pem: there is no such"):
        tls_serving(tmp_path)
    write_authority(tmp_path)
    write_authority(tmp_path / "other")
    (tmp_path / PRIVATE_KEY).write_bytes((tmp_path / "other" / PRIVATE_KEY).read_bytes())
    with pytest.raises(CertificateUnusable, match="not a pair"):
        tls_serving(tmp_path)
