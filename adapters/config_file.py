"""Read `bots.toml` from the disk and have it judged; an unreadable file is a problem."""

from __future__ import annotations

from pathlib import Path

import attrs

from actors.pure.config import Config, Problem, Problems, load_bytes, state_of
from actors.pure.config_syntax import BYTES_MAX


def read_config(path: Path) -> Config | Problems:
    """Return the config, its state folder seen from here, or everything wrong with it."""
    data = _read(path)
    if isinstance(data, Problems):
        return data
    config = load_bytes(data, str(path))
    if isinstance(config, Problems):
        return config
    return attrs.evolve(config, state=str(path.parent / config.state))


def read_state(path: Path) -> Path | Problems:
    """Return the state folder that the file names, though the rest of it be wrong.

    Whoever must pause a bot while `bots.toml` is being edited needs no more than this.
    """
    data = _read(path)
    if isinstance(data, Problems):
        return data
    state = state_of(data, str(path))
    return state if isinstance(state, Problems) else path.parent / state


def _read(path: Path) -> bytes | Problems:
    try:
        if path.is_dir():
            return _unreadable(path, "is a folder; name the file in it")
        if path.exists() and not path.is_file():  # Reading a pipe might wait for ever.
            return _unreadable(path, "is not a regular file")
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return _unreadable(path, "there is no such file")
    except OSError as error:
        return _unreadable(path, f"cannot be read: {error.strerror}")
    except ValueError:  # The name holds a zero byte.
        return _unreadable(path, "is not the name of a file")


def _unreadable(path: Path, reason: str) -> Problems:
    return Problems((Problem(str(path), None, "", reason),))
