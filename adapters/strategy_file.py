"""Load a strategy of the user's own: code with full trust, so from one safe place (S-11).

"my_module:MyStrategy" is the class MyStrategy of my_module.py in the folder `strategies`
beside bots.toml. Folder and file must be ours and not writable by others; there is no
isolation inside the process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import stat
import sys
from collections.abc import Callable
from importlib.abc import SourceLoader
from pathlib import Path
from typing import Any, Final

import outcome

from actors.pure.error_text import error_text

FOLDER: Final = "strategies"


class StrategyUnusable(Exception):
    """The file cannot be used; the text says why, in one line."""


def load_strategy(folder: Path, name: str) -> tuple[Callable[..., Any], str]:
    """Return the class that `name` ("my_module:MyStrategy") means, and its file's SHA-256.

    Raises:
      StrategyUnusable: it is not there, not safe, or cannot be imported.
    """
    module_name, _, class_name = name.partition(":")
    if not (module_name.isidentifier() and class_name.isidentifier()):
        raise StrategyUnusable(f"{name!r} is not module:Class")
    path = folder / FOLDER / f"{module_name}.py"
    for each in (path.parent, path):
        _check(each, name)
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    full_name, loader = f"strategies.{module_name}", _BytesLoader(path, source)
    spec = importlib.util.spec_from_loader(full_name, loader, origin=str(path))
    if spec is None:
        raise StrategyUnusable(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module  # dataclasses look themselves up there
    loaded = outcome.capture(loader.exec_module, module)  # whatever it raises
    if isinstance(loaded, outcome.Error):
        del sys.modules[full_name]
        raise StrategyUnusable(f"{path}: {error_text(loaded.error)}") from loaded.error
    strategy = getattr(module, class_name, None)
    if not callable(strategy):
        raise StrategyUnusable(f"{path} has no class {class_name}")
    return strategy, digest


class _BytesLoader(SourceLoader):
    """Runs the very bytes whose hash is recorded: no second read, no cached bytecode."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path = path
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        return self._source


def _check(path: Path, name: str) -> None:
    try:
        found = path.lstat()
    except OSError:
        raise StrategyUnusable(f"{name}: there is no {path}") from None
    if stat.S_ISLNK(found.st_mode):
        raise StrategyUnusable(f"{path} is a symbolic link: put the file itself there")
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise StrategyUnusable(f"{path} must be yours and not writable by others")
