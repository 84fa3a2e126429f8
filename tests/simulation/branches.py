"""Runs that share their beginning: a scene is played once, and forked wherever it is cut.

A branch is a process of its own. It has the scene as it was at the checkpoint, is cut
there, plays to the end, tells what became of it through a pipe, and is gone. What it does
is what a run from the start with the same cut does, to the last byte of its trace.
"""

from __future__ import annotations

import os
import pickle
import random
import select
import traceback
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NoReturn

import attrs

from tests.simulation.scene import Cut, Played, Plot, play

SILENT_S_MAX: Final = 300.0  # a branch takes a tenth of a second


@attrs.define(eq=False)
class _Branch:
    """One that runs, as its parent knows it."""

    cut: Cut
    process: int
    told: bytearray = attrs.Factory(bytearray)


@attrs.define(eq=False)
class Branches:
    """The branches of one scene; in a branch, the way back to its parent."""

    jobs: int  # at the same time
    cuts: dict[int, list[Cut]]  # by step
    played: list[Played] = attrs.Factory(list[Played])
    _running: dict[int, _Branch] = attrs.Factory(dict[int, _Branch])  # by their pipes
    _parent: int | None = None  # its pipe

    @classmethod
    def of(cls, cuts: Iterable[Cut], jobs: int) -> Branches:
        by_step: dict[int, list[Cut]] = defaultdict(list)
        for cut in cuts:
            by_step[cut.step].append(cut)
        return cls(jobs, by_step)

    @property
    def is_branch(self) -> bool:
        return self._parent is not None

    def at(self, step: int) -> Cut | None:
        """Fork for each cut at a step; in a branch, return its cut."""
        for cut in self.cuts.pop(step, ()):
            while len(self._running) >= self.jobs:
                self._hear()
            here, there = os.pipe()
            chance = random.getstate()
            process = os.fork()
            if not process:
                random.setstate(chance)  # Python seeds it anew in a forked process
                self._parent = there
                return cut
            os.close(there)
            self._running[here] = _Branch(cut, process)
        return None

    def end_branch(self, played: Played | None) -> NoReturn:
        """Tell the parent what became of this branch, and leave nothing else behind."""
        assert self._parent is not None
        if played is not None:
            with os.fdopen(self._parent, "wb") as pipe:
                pickle.dump(played, pipe)
        os._exit(0 if played is not None else 1)

    def hear_all(self) -> None:
        """Wait for the branches that still run."""
        while self._running:
            self._hear()

    def _hear(self) -> None:
        ready, _, _ = select.select(list(self._running), [], [], SILENT_S_MAX)
        if not ready:
            cuts = [branch.cut for branch in self._running.values()]
            raise TimeoutError(f"nothing was heard for {SILENT_S_MAX:g} s of {cuts}")
        for pipe in ready:
            branch = self._running[pipe]
            if chunk := os.read(pipe, 1 << 16):
                branch.told += chunk
                continue
            del self._running[pipe]
            os.close(pipe)
            _, status = os.waitpid(branch.process, 0)
            if status:
                raise ChildProcessError(f"the branch of {branch.cut} failed: {status}")
            self.played.append(pickle.loads(branch.told))  # noqa: S301 -- our own process


def play_cut(plot: Plot, cuts: Iterable[Cut], jobs: int) -> tuple[Played, list[Played]]:
    """Play a scene to its end, and from each cut on once more; return both.

    Raises:  ChildProcessError: a branch failed; its traceback is on stderr.
    """
    branches = Branches.of(cuts, jobs)
    try:
        played = play(plot, fork=branches.at)
    except BaseException:
        if branches.is_branch:
            traceback.print_exc()
            branches.end_branch(None)
        raise
    if branches.is_branch:
        branches.end_branch(played)
    branches.hear_all()
    return played, branches.played
