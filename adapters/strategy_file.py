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
from collections.abc import Callable
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
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = importlib.util.spec_from_file_location(f"strategies.{module_name}", path)
    if spec is None or spec.loader is None:
        raise StrategyUnusable(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    loaded = outcome.capture(spec.loader.exec_module, module)  # whatever it raises
    if isinstance(loaded, outcome.Error):
        raise StrategyUnusable(f"{path}: {error_text(loaded.error)}") from loaded.error
    strategy = getattr(module, class_name, None)
    if not callable(strategy):
        raise StrategyUnusable(f"{path} has no class {class_name}")
    return strategy, digest


def _check(path: Path, name: str) -> None:
    try:
        found = path.stat()
    except OSError:
        raise StrategyUnusable(f"{name}: there is no {path}") from None
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise StrategyUnusable(f"{path} must be yours and not writable by others")
