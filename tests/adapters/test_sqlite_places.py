"""An owner's ledger is found by what is in it, and never shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.journal_rows import row_of
from actors.messages import Side
from adapters.files import StateUnusable
from adapters.sqlite.ledgers import Ledgers
from adapters.sqlite.places import ledger_places
from adapters.sqlite.unopened import abandoned_alarms
from adapters.sqlite.writer import LedgerFile
from adapters.state import newest_ledger, newest_ledgers, remember_run
from tests.words import filled

A, B, C = "print-of-a", "print-of-b", "print-of-c"


def of(*prints: str) -> dict[str, str]:
    """Return accounts, named after their fingerprints, that have these."""
    return {print_.removeprefix("print-"): print_ for print_ in prints}


def write(path: Path, *prints: str) -> Path:
    """Make a ledger that holds these accounts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    accounts = {f"account {name}": print_ for name, print_ in of(*prints).items()}
    LedgerFile(path, {"mode": "live", **accounts}).close()
    return path


def test_the_only_owner_has_the_only_ledger(tmp_path: Path) -> None:
    assert ledger_places(tmp_path, {"": of(A, B)}) == {"": tmp_path / "ledger.db"}


def test_of_several_owners_each_has_a_folder(tmp_path: Path) -> None:
    assert ledger_places(tmp_path, {"ann": of(A), "bob": of(B)}) == {
        "ann": tmp_path / "owners" / "ann" / "ledger.db",
        "bob": tmp_path / "owners" / "bob" / "ledger.db",
    }


def test_who_was_alone_keeps_the_ledger_when_another_joins(tmp_path: Path) -> None:
    alone = write(tmp_path / "ledger.db", A)
    places = ledger_places(tmp_path, {"ann": of(A, C), "bob": of(B)})
    assert places["ann"] == alone
    assert places["bob"].parent.name == "bob"


def test_who_is_alone_at_last_keeps_the_ledger_of_the_group(tmp_path: Path) -> None:
    own = write(tmp_path / "owners" / "ann" / "ledger.db", A)
    write(tmp_path / "owners" / "bob" / "ledger.db", B)
    assert ledger_places(tmp_path, {"": of(A)}) == {"": own}


@pytest.mark.parametrize("is_sold", [False, True])
def test_what_an_owner_without_bots_holds_is_an_alarm(
    tmp_path: Path, *, is_sold: bool
) -> None:
    """Nobody opens that ledger any more, and so nobody guards what is in it."""
    own = write(tmp_path / "owners" / "ann" / "ledger.db", A)
    left = write(tmp_path / "owners" / "bob" / "ledger.db", B)
    bought = filled(1, 100, account="b")
    sold = filled(1, 100, account="b", trade_id="2", side=Side.SELL)
    file = LedgerFile(left, {})
    facts = (bought, sold) if is_sold else (bought,)
    file.append([row_of(fact, 0, 0) for fact in facts])
    file.close()
    places = ledger_places(tmp_path, {"": of(A)})
    assert places == {"": own}
    found = abandoned_alarms(tmp_path, places.values())
    assert [alarm.subject for alarm in found] == ([] if is_sold else ["b"])


def test_a_ledger_that_nobody_opens_and_nobody_can_read_is_an_alarm(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a ledger of anybody's")
    (alarm,) = abandoned_alarms(tmp_path, ())
    assert "not a database" in alarm.text


def test_an_owner_may_change_the_name_but_not_the_ledger(tmp_path: Path) -> None:
    own = write(tmp_path / "owners" / "ann" / "ledger.db", A)
    assert ledger_places(tmp_path, {"anna": of(A), "bob": of(B)})["anna"] == own


def test_two_owners_of_one_ledger_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "ledger.db", A, B)
    with pytest.raises(StateUnusable, match="holds accounts of ann and of bob"):
        ledger_places(tmp_path, {"ann": of(A), "bob": of(B)})


def test_an_account_that_moves_to_another_owner_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "owners" / "ann" / "ledger.db", A)
    write(tmp_path / "owners" / "bob" / "ledger.db", B)
    with pytest.raises(StateUnusable, match="both hold accounts of bob"):
        ledger_places(tmp_path, {"ann": of(C), "bob": of(A, B)})


@pytest.mark.parametrize("was_alone", [True, False])
def test_a_new_key_does_not_begin_another_ledger_where_there_is_one_of_the_account(
    tmp_path: Path, was_alone: bool
) -> None:
    """Whoever opens it says what to do: nothing that is held is forgotten."""
    changed = {"of-a": "print-of-its-new-key"}
    place = "ledger.db" if was_alone else "owners/ann/ledger.db"
    old = write(tmp_path / place, A)
    wanted = {"ann": changed, "bob": of(B)} if was_alone else {"": changed}
    assert old in ledger_places(tmp_path, wanted).values()


def test_an_account_may_have_the_name_that_another_one_had(tmp_path: Path) -> None:
    write(tmp_path / "owners" / "ann" / "ledger.db", A)
    places = ledger_places(tmp_path, {"ann": {"of-b": A}, "bob": {"of-a": B}})
    assert places["bob"] == tmp_path / "owners" / "bob" / "ledger.db"


def test_a_ledger_that_cannot_be_read_is_its_owners_alone(tmp_path: Path) -> None:
    own = tmp_path / "owners" / "ann" / "ledger.db"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"no ledger at all" * 1000)
    assert ledger_places(tmp_path, {"ann": of(A), "bob": of(B)})["ann"] == own


def test_a_ledger_of_nobody_knows_whom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no ledger at all" * 1000)
    with pytest.raises(StateUnusable):
        ledger_places(tmp_path, {"ann": of(A), "bob": of(B)})


def test_the_newest_run_names_the_ledger_of_each_owner(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    paths = {
        "": write(folder / "house" / "ledger.db"),
        "ann": write(folder / "ledger.db", A),
        "bob": write(folder / "owners" / "bob" / "ledger.db", B),
    }
    remember_run(tmp_path, folder, paths)
    assert newest_ledgers(tmp_path) == paths
    assert newest_ledger(tmp_path) == paths[""]
    remember_run(tmp_path, folder, {"": paths["ann"]})
    assert newest_ledgers(tmp_path) == {"": paths["ann"]}


def test_a_ledger_of_one_owner_that_lies_elsewhere_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    own = write(folder / "owners" / "ann" / "ledger.db", A)
    remember_run(tmp_path, folder, {"": own})
    assert newest_ledgers(tmp_path) == {"": own}


def test_a_damaged_ledger_hides_no_other(tmp_path: Path) -> None:
    good = write(tmp_path / "good.db", A)
    bad = tmp_path / "bad.db"
    bad.write_bytes(b"no ledger at all" * 1000)
    with Ledgers({"ann": bad, "bob": good}) as ledgers:
        assert list(ledgers.rows()) == []
        assert [str(bad) in text for text in ledgers.damage] == [True]
    with pytest.raises(StateUnusable, match=r"bad\.db"):
        Ledgers({"ann": bad})
