"""Open the ledgers of one run: one, or the house's and one for each of several owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import trio

from actors.fleet_world import OpenLedger
from actors.messages import Alarmed, BotStarted, BotStopped
from actors.ports_disk import EmergencyFile as EmergencyFilePort
from actors.ports_store import Query, Row, Store, StoreCorrupt, Stored, StoredRow
from actors.pure.client_order_id import epoch_text
from actors.pure.config import Config, Mode
from actors.pure.facts import decode, kind_of
from actors.pure.owners import HOUSE, owners_by_account
from adapters.emergency_file import EmergencyFile
from adapters.files import StateUnusable, prepare_folder
from adapters.secrets import Redaction
from adapters.sqlite.checks import ACCOUNT
from adapters.sqlite.places import ledger_places
from adapters.sqlite.store import SqliteStore
from adapters.sqlite.unopened import abandoned_alarms
from adapters.state import default_ledger, emergency_path, remember_run

Clean = Callable[[bytes], bytes]


@attrs.frozen
class ShutStore:
    """A ledger that cannot be used: its owner is stopped, and the others go on."""

    why: str

    async def append(self, rows: Sequence[Row]) -> Stored:  # noqa: ASYNC910 -- raises
        raise StoreCorrupt(self.why)

    async def read(  # noqa: ASYNC910 -- raises
        self, query: Query
    ) -> tuple[int, Sequence[StoredRow]]:
        raise StoreCorrupt(self.why)


@attrs.frozen
class ShutFile:
    """An emergency file that cannot be used: nothing is sent on its account."""

    why: str

    async def append(self, record: bytes) -> None:  # noqa: ASYNC910 -- raises
        raise OSError(self.why)

    async def read(self) -> Sequence[bytes]:  # noqa: ASYNC910 -- raises
        raise OSError(self.why)

    async def clear(self, count: int) -> bool:  # noqa: ASYNC910 -- raises
        raise OSError(self.why)


async def open_ledgers(
    opened: AsyncExitStack,
    config: Config,
    folder: Path,
    prints: Mapping[str, str],  # fingerprint of each account
    redaction: Redaction,
) -> dict[str, OpenLedger]:
    """Return the ledger of the house and of each of several owners; `opened` closes them.

    Raises:
      StateUnusable: the house's ledger cannot be used, or none of the owners'.
    """
    await trio.lowlevel.checkpoint()
    paths = _paths(config, folder, prints)
    found: dict[str, OpenLedger] = {}
    errors: list[StateUnusable] = []
    for owner, path in paths.items():
        identity = _identity(config, owner, prints)
        try:
            store = await SqliteStore.open(
                _prepared(path), identity=identity, clean=redaction.clean_json
            )
        except StateUnusable as error:
            errors.append(error)
            if owner == HOUSE or len(errors) == len(paths) - 1:
                raise
            found[owner] = OpenLedger(ShutStore(str(error)), epoch_text(0))
            continue
        opened.push_async_callback(store.close)
        found[owner] = OpenLedger(store, epoch_text(int(store.epoch, 16)))
    remember_run(folder.parent, folder, paths)
    return found


async def abandoned(
    config: Config, folder: Path, prints: Mapping[str, str]
) -> tuple[Alarmed, ...]:
    """Return what owners hold who have no bots any more, and so no ledger that is open."""
    opened = _paths(config, folder, prints).values()
    return tuple(await trio.to_thread.run_sync(abandoned_alarms, folder, set(opened)))


async def open_emergency(
    opened: AsyncExitStack, config: Config, ledgers: Mapping[str, OpenLedger], clean: Clean
) -> dict[str, EmergencyFilePort]:
    """Return the emergency file of each account, beside its ledger; `opened` closes them.

    Raises:
      StateUnusable: the only owner's cannot be used.
    """
    files: dict[str, EmergencyFilePort] = {}
    for account, owner in owners_by_account(config).items():
        store = ledgers[owner].store
        if not isinstance(store, SqliteStore):
            files[account] = ShutFile("its ledger cannot be used")
            continue
        path = emergency_path(store.path, account)
        try:
            file = await trio.to_thread.run_sync(EmergencyFile, path, store.epoch, clean)
        except StateUnusable as error:
            if owner == HOUSE:
                raise
            files[account] = ShutFile(str(error))
        else:
            opened.callback(file.close)
            files[account] = file
    await trio.lowlevel.checkpoint()
    return files


async def stopped_bots(ledgers: Iterable[OpenLedger]) -> frozenset[str]:
    """Return the bots that an operator stopped and did not start again."""
    stopped: set[str] = set()
    for ledger in ledgers:
        if not isinstance(ledger.store, ShutStore):
            await _follow_stops(ledger.store, stopped)
    await trio.lowlevel.checkpoint()
    return frozenset(stopped)


async def _follow_stops(store: Store, stopped: set[str]) -> None:
    kinds = [kind_of(BotStopped), kind_of(BotStarted)]
    _, rows = await store.read(Query(kinds))
    for row in rows:
        match decode(row.kind, row.body):
            case BotStopped(bot=bot):
                stopped.add(bot)
            case BotStarted(bot=bot):
                stopped.discard(bot)
            case _:
                pass


def _paths(config: Config, folder: Path, prints: Mapping[str, str]) -> dict[str, Path]:
    owners = owners_by_account(config)
    wanted: dict[str, dict[str, str]] = {}
    for account, owner in owners.items():
        wanted.setdefault(owner, {})[account] = prints[account]
    house = {HOUSE: default_ledger(folder, HOUSE, is_only=HOUSE in wanted)}
    return house | ledger_places(folder, wanted)


def _identity(config: Config, owner: str, prints: Mapping[str, str]) -> dict[str, str]:
    """Return what a ledger must be of: the mode, and live the very accounts (S-15)."""
    identity = {"mode": config.mode.value}
    if config.mode is Mode.LIVE:
        owners = owners_by_account(config)
        identity |= {
            f"{ACCOUNT}{name}": print_
            for name, print_ in prints.items()
            if owners[name] == owner
        }
    return identity


def _prepared(path: Path) -> Path:
    """Return the path, its folder made and closed to others (S-13)."""
    return prepare_folder(path.parent) / path.name
