"""`shoal run` against `shoal sim --tls`: two processes, everything inside TLS (S-9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.authority import write_authority
from tests.system.processes import (
    PATIENCE_S,
    disagreements,
    running_sim,
    start_fleet,
    write_live_fleet,
)


@pytest.mark.parametrize("kind", ["websockets", "trio-websocket"])
def test_a_fleet_trades_inside_tls_with_the_authority_that_its_file_names(
    tmp_path: Path, kind: str
) -> None:
    log, folder = tmp_path / "log", tmp_path / "tls"
    write_authority(folder)
    with running_sim(tls=folder) as sim:
        assert (sim.rest_url[:8], sim.url[:6], sim.ws_api_url[:6]) == (
            "https://", "wss://", "wss://",
        )  # fmt: skip
        file = write_live_fleet(tmp_path, sim, bots=2)
        place = "send_keys_to_this_host"
        text = file.read_text().replace(place, f'market_socket = "{kind}"\n{place}')
        file.write_text(text)
        fleet = start_fleet(file, "--live", "--for", "5", log=log)
        assert fleet.wait(timeout=PATIENCE_S) == 0, log.read_text()[-4000:]
        assert sim.truth()["orders_taken"] > 0
        assert disagreements(sim, tmp_path / "var", settled_s=0) == []


def test_a_fleet_says_nothing_to_an_exchange_that_nobody_it_trusts_vouches_for(
    tmp_path: Path,
) -> None:
    log, folder = tmp_path / "log", tmp_path / "tls"
    write_authority(folder)
    other = write_authority(tmp_path / "other")
    with running_sim(tls=folder) as sim:
        file = write_live_fleet(tmp_path, sim, bots=1)
        file.write_text(file.read_text().replace(str(sim.ca_file), str(other)))
        fleet = start_fleet(file, "--live", "--for", "8", log=log)
        fleet.wait(timeout=PATIENCE_S)
        assert sim.truth()["requests"] == {}
    assert "its certificate is not trusted" in log.read_text()


def test_an_authority_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "tls"
    write_authority(folder)
    with running_sim(tls=folder) as sim:
        file = write_live_fleet(tmp_path, sim, bots=1)
        text = file.read_text().replace(str(sim.ca_file), "gone.pem")
        file.write_text(text)
        fleet = start_fleet(file, "--live", log=log)
        assert fleet.wait(timeout=PATIENCE_S) == 2
    gone = tmp_path / "gone.pem"
    assert f"exchanges.binance: {gone}: No such file or directory" in log.read_text()
