"""A strategy of the user's own is loaded from one safe place, or refused in one line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapters.strategy_file import StrategyUnusable, load_strategy

GOOD = "class Mine:\n    candles_min = 7\n"


def write(home: Path, text: str = GOOD) -> Path:
    folder = home / "strategies"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "mine.py"
    path.write_text(text)
    path.chmod(0o600)
    return path


def refusal(home: Path, name: str = "mine:Mine") -> str:
    with pytest.raises(StrategyUnusable) as caught:
        load_strategy(home, name)
    return str(caught.value)


def test_a_class_is_loaded_with_the_hash_of_its_file(tmp_path: Path) -> None:
    path = write(tmp_path)
    made, digest = load_strategy(tmp_path, "mine:Mine")
    assert (made().candles_min, digest) == (
        7,
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


@pytest.mark.parametrize("name", ["mine", "../mine:Mine", "os.path:join", "mine:", ":Mine"])
def test_only_a_module_and_a_class_can_be_named(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    assert refusal(tmp_path, name) == f"{name!r} is not module:Class"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    missing = tmp_path / "strategies" / "yours.py"
    assert refusal(tmp_path, "yours:Mine") == f"yours:Mine: there is no {missing}"


@pytest.mark.parametrize("place", ["strategies", "strategies/mine.py"])
@pytest.mark.parametrize("bit", [0o020, 0o002])
def test_what_others_can_write_is_not_run(tmp_path: Path, place: str, bit: int) -> None:
    write(tmp_path, "raise SystemExit('it was run')\n")
    path = tmp_path / place
    path.chmod(path.stat().st_mode | bit)
    assert refusal(tmp_path) == f"{path} must be yours and not writable by others"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "{path} has no class Mine"),
        ("Mine = 3\n", "{path} has no class Mine"),
        (
            "import nothing_like_it\n",
            "{path}: ModuleNotFoundError: No module named 'nothing_like_it' in "
            "strategies/mine.py:1",
        ),
        ("1 / 0\n", "{path}: ZeroDivisionError: division by zero in strategies/mine.py:1"),
        ("raise SystemExit(3)\n", "{path}: SystemExit: 3 in strategies/mine.py:1"),
        ("\x00", "{path}: "),
        ("class Mine(:\n", "{path}: SyntaxError: invalid syntax (mine.py, line 1)"),
    ],
)
def test_whatever_goes_wrong_in_the_file_is_one_line(
    tmp_path: Path, text: str, said: str
) -> None:
    path = write(tmp_path, text)
    line = refusal(tmp_path)
    assert line.startswith(said.format(path=path))
    assert "\n" not in line


def test_a_dataclass_with_postponed_annotations_is_a_strategy(tmp_path: Path) -> None:
    """Dataclasses look their own module up by its name."""
    write(
        tmp_path,
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Mine:\n"
        "    candles_min: int = 7\n",
    )
    assert load_strategy(tmp_path, "mine:Mine")[0]().candles_min == 7


@pytest.mark.parametrize("place", ["strategies", "strategies/mine.py"])
def test_what_is_elsewhere_is_not_run(tmp_path: Path, place: str) -> None:
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    elsewhere.mkdir()
    home.mkdir()
    write(elsewhere)
    path = home / place
    if path.suffix:
        path.parent.mkdir(mode=0o700)
    path.symlink_to(elsewhere / place)
    assert refusal(home) == f"{path} is a symbolic link: put the file itself there"


def test_what_is_run_is_what_was_hashed_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """No bytecode is read or written: its hash is in no ledger (S-11)."""
    path = write(tmp_path)
    load_strategy(tmp_path, "mine:Mine")
    assert [each.name for each in path.parent.iterdir()] == ["mine.py"]
