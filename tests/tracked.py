"""What the checks of the house look at: the files that git tracks, and nothing else."""

from __future__ import annotations

import ast
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[1]


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """Return the tracked files that match, relative to the top; skip without git."""
    git = shutil.which("git")
    if git is None or not (TOP / ".git").exists():
        pytest.skip("needs git and a checkout: only tracked files are judged")
    listed = subprocess.run(  # noqa: S603  # git itself, on patterns written in the tests
        [git, "ls-files", "-z", "--", *patterns],
        cwd=TOP,
        capture_output=True,
        check=True,
        text=True,
    )
    names = (Path(name) for name in listed.stdout.split("\0") if name)
    return tuple(name for name in names if (TOP / name).is_file())


@cache
def text_of(path: Path) -> str:
    return (TOP / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), filename=str(path))


def line_of(path: Path, number: int) -> str:
    return text_of(path).splitlines()[number - 1].strip()


def listed(found: list[str], advice: str = "") -> str:
    """Return all that was found, one a line, whatever pytest would cut."""
    return "\n  ".join([advice, *found])


def rooms() -> tuple[Path, ...]:
    """Return the modules of the program itself."""
    return tracked("actors/*.py", "adapters/*.py")


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    found = ast.walk(tree_of(path))
    return [n for n in found if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]


def imported(path: Path) -> set[str]:
    """Return every module that the file imports by its absolute name."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module}
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@cache
def project() -> dict[str, Any]:
    return tomllib.loads(text_of(Path("pyproject.toml")))
