"""The house's papers: README, CHANGELOG, locks and CI say what is true."""

from __future__ import annotations

import os
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.tracked import TOP, listed, project, text_of, tracked

LOCKS = (Path("requirements.lock"), Path("requirements-dev.lock"))
PINNED = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
# Written so that this file does not contain what it looks for.
STRANGE = re.compile(
    r"/(?:work|farm|root|tmp/bash_jobs)/"
    r"|pypi\.org|python[h]osted|registry\.npmjs|deb\.debian|/simple(?:\s|/|$)"
)


def pins(lock: Path) -> dict[str, str]:
    return {m["name"]: m["version"] for m in PINNED.finditer(text_of(lock))}


def canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def commands(marker: str) -> str:
    """Return what README.md shows between a marker and its end."""
    found = re.search(
        rf"<!-- {marker} -->\n```sh\n(.+?)\n```\n<!-- end -->", text_of(Path("README.md"))
    )
    assert found, f"README.md has no one-line {marker}"
    return found[1]


def test_no_tracked_file_names_a_machine_or_a_package_server() -> None:
    found: list[str] = []
    for path in tracked():
        text = (TOP / path).read_bytes().decode(errors="replace")
        found += [f"{path}: {match.group()}" for match in STRANGE.finditer(text)]
    assert not found, listed(found)


@pytest.mark.parametrize("marker", ["run-command", "test-command"])
def test_the_commands_of_the_readme_name_what_exists(marker: str) -> None:
    first, _, second = commands(marker).partition(" && ")
    script, *flags = first.split()
    assert os.access(TOP / script, os.X_OK)
    assert all(f"{flag})" in text_of(Path("set-up")) for flag in flags)
    program, *words = second.split()
    if Path(program).name == "just":
        assert re.search(rf"^{words[0]}\b.*:", text_of(Path("justfile")), re.MULTILINE)
    else:
        assert Path(program).name in project()["project"]["scripts"]
        assert all((TOP / word).is_file() for word in words if word.endswith(".toml"))


def test_ci_takes_its_command_from_the_readme() -> None:
    ci = Path(".ci/run")
    assert os.access(TOP / ci, os.X_OK)
    assert "test-command" in text_of(ci)
    assert commands("test-command") not in text_of(ci)


def test_links_between_the_papers_lead_somewhere() -> None:
    dead = [
        f"{page}: {target}"
        for page in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text_of(page))
        if "://" not in target and not (TOP / page.parent / target).exists()
    ]
    assert not dead, listed(dead)


def test_recipes_that_the_papers_name_exist() -> None:
    recipe = re.compile(r"^([a-z][a-z-]*)\b[^\n]*:(?!=)", re.MULTILINE)
    recipes = set(recipe.findall(text_of(Path("justfile"))))
    named = {
        name
        for page in tracked("README.md", "docs/*.md")
        for name in re.findall(r"(?:`|\s|/)just ([a-z][a-z-]*)`", text_of(page))
    }
    assert {
        "run",
        "test",
        "check",
        "bench",
        "sim",
        "map",
        "lint",
        "types",
        "layers",
    } <= recipes
    assert named <= recipes


def test_the_changelog_has_the_version_that_is_built() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", text_of(Path("CHANGELOG.md")), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert project()["project"]["version"] in headings


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", text_of(lock).strip())
    assert [one for one in entries if not PINNED.match(one)] == []
    assert [one for one in entries if "--hash=sha256:" not in one] == []
    assert "://" not in text_of(lock)


def test_the_lock_holds_all_that_is_declared() -> None:
    table = project()
    run = [*table["project"]["dependencies"], *table["build-system"]["requires"]]
    dev = [*run, *table["project"]["optional-dependencies"]["dev"]]
    assert {canonical(one) for one in run} <= pins(LOCKS[0]).keys()
    assert {canonical(one) for one in dev} <= pins(LOCKS[1]).keys()


def test_both_locks_agree() -> None:
    assert pins(LOCKS[0]).items() <= pins(LOCKS[1]).items()


def test_what_runs_here_is_what_is_locked() -> None:
    """Another version than the locked one makes every other result doubtful."""
    locked = pins(LOCKS[0])
    names = {canonical(one) for one in project()["project"]["dependencies"]}
    assert {n: distribution(n).version for n in names} == {n: locked[n] for n in names}


def test_every_warning_is_an_error(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getini("filterwarnings") == ["error"]
    assert "pyright --warnings" in text_of(Path("justfile"))
    excused = re.compile(r"filterwarnings\(\s*[\"']ignore[^#\n]*$", re.MULTILINE)
    assert [str(f) for f in tracked("*.py") if excused.search(text_of(f))] == []


def test_types_are_strict_everywhere() -> None:
    settings = project()["tool"]["pyright"]
    assert settings["typeCheckingMode"] == "strict"
    assert set(settings["include"]) == {"actors", "adapters", "tests"}
    relaxed = {k: v for k, v in settings.items() if k.startswith("report") and v != "error"}
    assert relaxed == {}
    assert not {"exclude", "ignore"} & settings.keys()
