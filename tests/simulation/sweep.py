"""Crash anywhere: cut a scene at every step of the engine, and see that it ends the same.

A dry run counts the steps from the first decision to the settled end. Then the scene is
played again, and branches at each step for each way to be cut there: the process dies, with
or without the machine's power; the task that runs fails at the cancel point that follows;
each actor in turn fails at one of its own. After each run every invariant is checked, and
that positions, orders and balances are those of the run without a cut (I-18).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from tests.simulation.branches import play_cut
from tests.simulation.scenarios import PLOTS
from tests.simulation.scene import KINDS, Cut, CutKind, Played, play

EVERY: Final = slice(None)
LINES_OF_FAILED: Final = 5  # runs that are told with their last events


@attrs.frozen
class Swept:
    """What became of one run of a sweep."""

    scene: str
    cut: Cut
    target: str  # "" when nothing could be cut there
    violations: tuple[str, ...]
    lines: tuple[str, ...]
    failures: Counter[str]
    simulated_s: float
    cpu_s: float

    @property
    def again(self) -> str:
        """Return the command that shows it again."""
        cut = self.cut
        return f"just simulate --sweep {self.scene} --cut {cut.kind}:{cut.step}"


@attrs.define
class Sweep:
    """The sums over many runs."""

    steps: dict[str, int]  # of each scene
    runs: int = 0
    cut: Counter[str] = attrs.Factory(Counter[str])  # delivered, by kind
    places: set[tuple[str, int]] = attrs.Factory(set[tuple[str, int]])
    failures: Counter[str] = attrs.Factory(Counter[str])
    simulated_s: float = 0.0
    cpu_s: float = 0.0
    failed: list[Swept] = attrs.Factory(list[Swept])

    def add(self, swept: Swept) -> None:
        """Take one run."""
        self.runs += 1
        self.places.add((swept.scene, swept.cut.step))
        if swept.target:
            self.cut[swept.cut.kind] += 1
        self.failures.update(swept.failures)
        self.simulated_s += swept.simulated_s
        self.cpu_s += swept.cpu_s
        if swept.violations:
            self.failed.append(swept)

    @property
    def deaths(self) -> int:
        return self.cut["death"] + self.cut["power_loss"]

    @property
    def crashes(self) -> int:
        return self.cut["crash_here"] + self.cut["crash_in_turn"]

    def lines(self) -> Iterator[str]:
        """Return the sums for people."""
        scenes = " · ".join(f"{name} {count}" for name, count in self.steps.items())
        yield f"checkpoints from the first decision to the settled end: {scenes}"
        yield (
            f"{self.runs} runs at {len(self.places)} of {sum(self.steps.values())}"
            f" checkpoints · {self.simulated_s / 3600:.1f} simulated hours"
            f" · {self.cpu_s:.0f} s of a core"
        )
        yield (
            f"{self.deaths} process deaths delivered ({self.cut['power_loss']} with power"
            f" loss) · {self.crashes} actor crashes delivered"
            f" ({self.cut['crash_here']} of the task at that step)"
        )
        hit = " · ".join(f"{count} {name}" for name, count in self.failures.most_common())
        yield f"failures of actors: {hit or 'none'}"
        yield f"{len(self.failed)} runs violate an invariant"
        for swept in self.failed[:LINES_OF_FAILED]:
            yield from swept.lines
        for swept in self.failed[:200]:
            yield f"{swept.again}: {swept.target}: {swept.violations[0]}"


def sweep(
    scenes: Sequence[str],
    *,
    sample: int | None = None,
    part: slice = EVERY,
    jobs: int = 2,
) -> Sweep:
    """Cut some scenes at every step, or at `sample` places drawn once and for all.

    `part`: of these places, in the order in which they were drawn.
    """
    steps: dict[str, int] = {}
    places: list[tuple[str, Cut]] = []
    for name in scenes:
        dry = play(PLOTS[name])
        assert not dry.outcome.violations, dry.outcome.violations
        steps[name] = dry.steps
        places += [(name, Cut(kind, at)) for at in range(dry.steps) for kind in KINDS]
    if sample is not None and sample < len(places):
        places = random.Random("sweep").sample(places, sample)
    places = places[part]
    total = Sweep(steps)
    for name in scenes:
        cuts = [cut for of, cut in places if of == name]
        for swept in sweep_scene(name, cuts, jobs):
            total.add(swept)
    return total


def sweep_scene(name: str, cuts: Sequence[Cut], jobs: int) -> Iterator[Swept]:
    """Cut one scene at some places; judge each run, in the order of their ends."""
    whole, branches = play_cut(PLOTS[name], cuts, jobs)
    for played in branches:
        yield judge(name, played, whole.end)


def judge(
    name: str, played: Played, end: Sequence[str], *, keeps_all: bool = False
) -> Swept:
    """Return what became of a run, beside the end of the one without a cut."""
    assert played.cut is not None
    outcome = played.outcome
    violations = list(outcome.violations)
    violations += [f"I-18: {each}" for each in changes(end, played.end)]
    return Swept(
        name,
        played.cut,
        played.target,
        tuple(violations),
        tuple(outcome.lines) if violations or keeps_all else (),
        outcome.failures,
        outcome.simulated_s,
        played.cpu_s,
    )


def changes(wanted: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    """Return what the cut made of the end."""
    missing, more = Counter(wanted), Counter(found)
    for line in missing - more:
        yield f"without the cut: {line}"
    for line in more - missing:
        yield f"with the cut: {line}"


def command(scene: str, sample: int | None, cut: str, jobs: int) -> tuple[bool, list[str]]:
    """Do what the command line asks for; return whether all is well, and what to say."""
    scenes = list(PLOTS) if scene == "all" else [scene]
    if not cut:
        total = sweep(scenes, sample=sample, jobs=jobs)
        return not total.failed, list(total.lines())
    kind, _, step = cut.partition(":")
    wanted: CutKind = next(each for each in KINDS if each == kind)
    plot = PLOTS[scene]
    played = play(plot, Cut(wanted, int(step)), keeps_all=True)
    swept = judge(scene, played, play(plot).end, keeps_all=True)
    said = [*swept.lines, f"cut: {swept.target or 'nothing'}", *swept.violations]
    return not swept.violations, said
