"""The house's rules about code that no linter knows; `STYLE` numbers are the sheet's."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest

from tests.tracked import (
    functions,
    imported,
    line_of,
    listed,
    project,
    rooms,
    text_of,
    tracked,
    tree_of,
)

FILE_LINES_MAX = 300
TEST_FILE_LINES_MAX = 500  # read one test at a time, never as a whole
FUNCTION_LINES_MAX = 40
DEPENDENCIES_MAX = 15  # S-10
SUPERVISOR = Path("actors/supervisor.py")
VAGUE = re.compile(r"(Manager|Handler|Helper|Utils?|Base|Service)$")
SILENCED = re.compile(
    r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:[, ]+[A-Z]+\d+)*)?"
    r"|(?:pyright|type):\s*ignore(?:\[[\w, -]+\])?)(?P<rest>.*)$"
)
DEADLINES = {"move_on_after", "move_on_at", "fail_after", "fail_at"}
MOST_CHANNELS = re.compile(r"open_memory_channel|Memory(Send|Receive)Channel")


def test_files_stop_at_300_lines() -> None:
    sizes = {path: text_of(path).count("\n") for path in tracked("*.py")}
    long = [
        f"{path}: {size} lines"
        for path, size in sizes.items()
        if size > (TEST_FILE_LINES_MAX if path.parts[0] == "tests" else FILE_LINES_MAX)
    ]
    assert not long, listed(long, "two ideas?")


def test_functions_fit_in_40_lines() -> None:
    long = [
        f"{path}:{node.lineno}: {node.name} has {size} lines"
        for path in rooms()
        for node in functions(path)
        if (size := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, listed(long)


def test_only_the_supervisor_catches_exception() -> None:
    wide = [
        f"{path}:{node.lineno}: catches {ast.unparse(node.type) if node.type else 'all'}"
        for path in rooms()
        if path != SUPERVISOR
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and _is_wide(node.type)
        and not _only_tidies_up(node)
    ]
    assert not wide, listed(wide)


def _is_wide(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_wide(one) for one in caught.elts)
    return caught is None or ast.unparse(caught) in {"Exception", "BaseException"}


def _only_tidies_up(handler: ast.ExceptHandler) -> bool:
    """Tell whether what was caught goes on as it came: a bare `raise`, no way round."""
    inside = list(ast.walk(handler))
    leaves = (ast.Return, ast.Break, ast.Continue)
    last = handler.body[-1]
    return (
        isinstance(last, ast.Raise)
        and last.exc is None
        and not any(isinstance(node, leaves) for node in inside)
    )


def test_memory_channels_are_not_closed_with_async_with() -> None:
    """`async with` on one swallows the error of a cancelled body (trio #746, #1559)."""
    wrong = [
        f"{path}:{node.lineno}: async with {ast.unparse(item.context_expr)}"
        for path in tracked("*.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if _is_channel(item.context_expr, _channel_names(path))
    ]
    assert not wrong, listed(wrong)


def _is_channel(used: ast.expr, names: set[str]) -> bool:
    shown = ast.unparse(used)
    if shown.endswith(".clone()") or MOST_CHANNELS.search(shown):
        return True
    last = shown.rpartition(".")[2]
    return last in names or last.endswith("mailbox")


def _channel_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=elts)], value=value):
                if MOST_CHANNELS.search(ast.unparse(value)):
                    names |= {ast.unparse(one).rpartition(".")[2] for one in elts}
            case ast.arg(arg=name, annotation=ast.expr() as kind):
                if ast.unparse(kind).startswith(("trio.Memory", "Memory")):
                    names.add(name)
            case _:
                pass
    return names


def test_memory_channels_are_bounded() -> None:
    """Where the bound is kept elsewhere, the line says so: `# bounded by ...`."""
    endless = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path in rooms()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and "open_memory_channel" in ast.unparse(node.func)
        and re.search(r"\binf\b", " ".join(map(ast.unparse, node.args)))
        and not re.search(r"#.*\bbound", line_of(path, node.lineno))
    ]
    assert not endless, listed(endless)


def test_every_shield_has_a_deadline() -> None:
    """An endless shield hangs the shutdown. Elsewhere, name the deadline on the line."""
    endless = [
        f"{path}:{number}: {line_of(path, number)}"
        for path in rooms()
        for number in _shields_without_deadline(tree_of(path))
        if not re.search(r"#.*\bdeadline\b", line_of(path, number))
    ]
    assert not endless, listed(endless)


def _shields_without_deadline(tree: ast.Module) -> list[int]:
    lines: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            words = {word.arg for word in node.keywords}
            shield = [w.value.lineno for w in node.keywords if w.arg == "shield"]
            if called not in DEADLINES and not words & {"deadline", "relative_deadline"}:
                lines += shield
        elif isinstance(node, ast.Assign):
            ends = [ast.unparse(target) for target in node.targets]
            lines += [node.lineno for end in ends if end.endswith(".shield")]
    return lines


def test_pure_code_asks_no_clock_no_dice_and_no_disk() -> None:
    banned = re.compile(r"\.(now|utcnow|today)\(|\buuid[14]\(|(?<![\w.])open\(")
    found = [
        f"{path}: {match.group()}"
        for path in tracked("actors/pure/*.py", "actors/messages*.py")
        for match in banned.finditer(text_of(path))
    ]
    assert not found, listed(found)


def test_names_say_what_a_thing_is() -> None:
    vague = [
        f"{path}:{node.lineno}: class {node.name}"
        for path in rooms()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and VAGUE.search(node.name)
    ]
    vague += [str(path) for path in rooms() if VAGUE.search(path.stem.title())]
    assert not vague, listed(vague)


def test_every_module_says_what_it_is_for() -> None:
    mute = [
        str(path)
        for path in tracked("*.py")
        if text_of(path).strip() and not ast.get_docstring(tree_of(path))
    ]
    assert not mute, listed(mute)


def test_every_actor_shows_its_edges() -> None:
    bare = [
        str(path)
        for path in tracked("actors/*.py")
        if path.parent == Path("actors")
        and any(f.name == f"run_{path.stem}" for f in functions(path))
        and "-->" not in (ast.get_docstring(tree_of(path)) or "")
    ]
    assert not bare, listed(
        bare, "an actor's docstring has a small arrow map: bots --Intent--> [risk]"
    )


def test_a_part_of_a_task_serves_that_task_alone() -> None:
    """`feed_session` is `feed`'s own: only `feed`, its parts and the stage import it."""
    actors = [path for path in tracked("actors/*.py") if path.parent == Path("actors")]
    tasks = {p.stem for p in actors if f"run_{p.stem}" in {f.name for f in functions(p)}}
    shared = [
        f"{path} imports actors.{part}"
        for path in actors
        for part in (name.removeprefix("actors.") for name in imported(path))
        if (owner := part.partition("_")[0]) in tasks and "_" in part
        if path.stem.partition("_")[0] not in {owner, "fleet"}
    ]
    assert not shared, listed(shared)


def test_a_silenced_rule_carries_its_reason() -> None:
    silent = [
        f"{path}:{number}: {line.strip()}"
        for path in tracked("*.py")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (match := SILENCED.search(line))
        if not re.search(r"\w{2}", match["rest"])
    ]
    assert not silent, listed(silent, "write it as: # noqa: S101  # the reason")


def test_no_file_relaxes_the_type_checker() -> None:
    loose = re.compile(
        r"^#\s*(pyright:\s*(?!strict)(?!ignore\[)|type:\s*ignore|mypy:)", re.MULTILINE
    )
    relaxed = [str(f) for f in tracked("*.py") if loose.search(text_of(f))]
    assert not relaxed, listed(relaxed)


def test_nothing_is_left_unwritten() -> None:
    later = re.compile(r"\bNotImplementedError\b|\bTO" + r"DO\b|\bFIX" + r"ME\b")
    unwritten = [str(f) for f in tracked("*.py") if later.search(text_of(f))]
    assert not unwritten, listed(unwritten)


def test_every_test_can_fail() -> None:
    idle = [
        f"{path}:{node.lineno}: {node.name}"
        for path in tracked("tests/*.py")
        for node in functions(path)
        if node.name.startswith("test_") and not _can_fail(node, path)
    ]
    assert not idle, listed(idle)


def _can_fail(test: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> bool:
    """Tell whether a test asserts, or calls a function of its file that does."""
    asserts = re.compile(r"\bassert|raises|RaisesGroup|expect|check")
    called = {
        ast.unparse(node.func) for node in ast.walk(test) if isinstance(node, ast.Call)
    }
    judges = [test, *(one for one in functions(path) if one.name in called)]
    return any(asserts.search(ast.unparse(one)) for one in judges)


def test_who_lives_by_a_clock_of_ours_names_it_itself(
    request: pytest.FixtureRequest,
) -> None:
    """pytest-trio heeds no clock that only a fixture asked for: such a test is slow."""
    clocks = {"autojump_clock", "mock_clock"}
    slow = [
        item.nodeid
        for item in request.session.items
        if isinstance(item, pytest.Function)
        for unseen in clocks - _parameters(item)
        if unseen in item.fixturenames
    ]
    assert not slow, listed(slow)


def _parameters(item: pytest.Function) -> set[str]:
    """Return what the test itself asks for; once it has run, its item is a wrapper."""
    return set(inspect.signature(getattr(item.module, item.originalname)).parameters)


def test_each_room_of_tests_keeps_to_its_means() -> None:
    """Pure tests know no Trio; actors' tests know no sockets and no threads."""
    banned = {
        "tests/pure/*.py": {"trio", "socket", "threading"},
        "tests/actors/*.py": {
            "socket",
            "threading",
            "adapters.http",
            "adapters.sqlite",
            "adapters.websocket",
        },
    }
    found = [
        f"{path} imports {name}"
        for pattern, names in banned.items()
        for path in tracked(pattern)
        for name in sorted(imported(path) & names)
    ]
    assert not found, listed(found)


def test_every_library_that_is_used_is_declared() -> None:
    declared = {
        re.split(r"[^\w.-]", one)[0].lower().replace("-", "_")
        for one in project()["project"]["dependencies"]
    }
    used = {name.partition(".")[0] for path in rooms() for name in imported(path)}
    used -= {"actors", "adapters", "attr", *sys.stdlib_module_names}
    assert used <= declared
    assert len(declared) <= DEPENDENCIES_MAX
