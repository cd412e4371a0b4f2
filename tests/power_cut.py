"""Power cuts, replayed: what a disk may hold after any of them, from a journal of all that it was asked.

A disk keeps a file's bytes for certain only once the file was flushed, and a name only once its folder was. Whatever was not flushed may
be there, or not, or some of it: in any order. `RecordingDisk` does the real thing and writes it down; `Replay.states` gives, for a cut
after any step, each different state that the disk may be found in. Names in the vault's working folder are left out: the next start
sweeps them.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path

from moderator.evidence.vault.durable import Disk
from moderator.evidence.vault.staging import STAGING

ROOT = 0


class Act(StrEnum):
    """What was done: a name given or taken, bytes written, a file or folder flushed."""

    NAME = "name"
    MOVE = "move"
    TAKE = "take"
    WRITE = "write"
    FLUSH = "flush"


@dataclass(frozen=True)
class Step:
    """One thing done. Files and folders go by number, since folders are renamed."""

    act: Act
    folder: int = -1
    name: str = ""
    node: int = -1
    content: bytes = b""
    to_folder: int = -1
    to_name: str = ""


@dataclass
class Tree:
    """Files and folders by number, and their names."""

    names: dict[int, dict[str, int]] = field(default_factory=lambda: {ROOT: {}})
    content: dict[int, bytes] = field(default_factory=dict)

    def apply(self, step: Step) -> None:
        """Change the names as a step does."""
        here = self.names.setdefault(step.folder, {})
        if step.act is Act.NAME:
            here[step.name] = step.node
        elif step.act is Act.TAKE:
            here.pop(step.name, None)
        elif step.act is Act.MOVE:
            here.pop(step.name, None)
            self.names.setdefault(step.to_folder, {})[step.to_name] = step.node

    def find(self, path: Path) -> int:
        """Return the number of what a path names."""
        node = ROOT
        for part in path.parts:
            node = self.names[node][part]
        return node

    def files(self, folder: int = ROOT, under: str = "") -> Iterator[tuple[str, int]]:
        """Yield every path and its number; a folder's ends in a slash."""
        for name, node in sorted(self.names.get(folder, {}).items()):
            if not under and name == STAGING:
                continue
            if node in self.content:
                yield under + name, node
            else:
                yield f"{under}{name}/", node
                yield from self.files(node, f"{under}{name}/")


class RecordingDisk(Disk):
    """A disk that does what it is asked and keeps a journal of it. `root` is the folder whose fate is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[Step] = []
        self.made: set[int] = set()
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._live = Tree()
        self._open: dict[int, int] = {}
        self.start = self._known()

    def _known(self) -> Tree:
        """Take what is there already as safe."""
        start = Tree()
        for where, folders, names in os.walk(self.root):
            for name in (*folders, *names):
                path = Path(where, name)
                node, parent = next(self._numbers), self._live.find(path.parent.relative_to(self.root))
                for tree in (start, self._live):
                    tree.apply(Step(Act.NAME, parent, name, node))
                    if name in names:
                        tree.content[node] = path.read_bytes()
                    else:
                        tree.names[node] = {}
        return start

    def _folder(self, path: Path) -> int:
        return self._live.find(path.relative_to(self.root))

    def _did(self, step: Step) -> None:
        self._live.apply(step)
        self.steps.append(step)

    def create(self, path: Path) -> int:
        handle = super().create(path)
        with self._lock:
            node = next(self._numbers)
            self.made.add(node)
            self._live.content[node] = b""
            self._open[handle] = node
            self._did(Step(Act.NAME, self._folder(path.parent), path.name, node))
        return handle

    def write(self, handle: int, part: memoryview) -> int:
        length = super().write(handle, part)
        with self._lock:
            node = self._open[handle]
            self._live.content[node] += bytes(part[:length])
            self.steps.append(Step(Act.WRITE, node=node, content=bytes(part[:length])))
        return length

    def flush(self, handle: int) -> None:
        super().flush(handle)
        with self._lock:
            self.steps.append(Step(Act.FLUSH, node=self._open.pop(handle)))

    def flush_folder(self, folder: Path) -> None:
        super().flush_folder(folder)
        with self._lock:
            self.steps.append(Step(Act.FLUSH, node=self._folder(folder)))

    def make_folder(self, folder: Path, *, mode: int = 0o777) -> None:
        super().make_folder(folder, mode=mode)
        with self._lock:
            node = next(self._numbers)
            self._live.names[node] = {}
            self._did(Step(Act.NAME, self._folder(folder.parent), folder.name, node))

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        with self._lock:
            node = self._live.find(old.relative_to(self.root))
            self._did(Step(Act.MOVE, self._folder(old.parent), old.name, node, b"", self._folder(new.parent), new.name))

    def link(self, old: Path, new: Path) -> None:
        super().link(old, new)
        with self._lock:
            node = self._live.find(old.relative_to(self.root))
            self._did(Step(Act.NAME, self._folder(new.parent), new.name, node))

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        with self._lock:
            node = self._live.find(path.relative_to(self.root))
            self._did(Step(Act.TAKE, self._folder(path.parent), path.name, node))


State = Mapping[str, bytes | None]
"""What a disk holds: each file's bytes by path; a folder's path ends in a slash and has None."""


@dataclass(frozen=True)
class Replay:
    """A journal to be cut: where it began, and its steps."""

    start: Tree
    made: frozenset[int]
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, disk: RecordingDisk) -> "Replay":
        """Return the journal of a disk."""
        return cls(disk.start, frozenset(disk.made), tuple(disk.steps))

    def without_flushes(self, *, files: bool = False, folders: bool = False) -> "Replay":
        """Return the same journal as a disk would keep it that ignores flushes of files, or of folders."""

        def ignored(step: Step) -> bool:
            return step.act is Act.FLUSH and (files if step.node in self.made else folders)

        return Replay(self.start, self.made, tuple(step for step in self.steps if not ignored(step)))

    def states(self) -> Iterator[tuple[int, State]]:
        """Yield, for a cut after each number of steps, every different state the disk may be in."""
        for cut in range(len(self.steps) + 1):
            seen = set()
            done = self.steps[:cut]
            for kept in _choices(self._unsafe(done)):
                for part in (1.0, 0.5, 0.0):
                    state = self._state(done, kept, part)
                    mark = frozenset(state.items())
                    if mark not in seen:
                        seen.add(mark)
                        yield cut, state

    @staticmethod
    def _unsafe(done: tuple[Step, ...]) -> list[int]:
        """Return the numbers of the steps whose names may be lost: their folder was not flushed since."""
        flushed: dict[int, int] = {step.node: at for at, step in enumerate(done) if step.act is Act.FLUSH}
        unsafe = []
        for at, step in enumerate(done):
            if step.act in {Act.NAME, Act.TAKE, Act.MOVE}:
                folder = step.to_folder if step.act is Act.MOVE else step.folder
                if flushed.get(folder, -1) < at:
                    unsafe.append(at)
        return unsafe

    def _state(self, done: tuple[Step, ...], lost: frozenset[int], part: float) -> State:
        """Return what is found when some unsafe names are lost, and of unflushed bytes only a part has arrived."""
        tree = Tree({node: dict(names) for node, names in self.start.names.items()}, self._bytes(done, part))
        for at, step in enumerate(done):
            if at not in lost:
                tree.apply(step)
        return {path: None if path.endswith("/") else tree.content[node] for path, node in tree.files()}

    def _bytes(self, done: tuple[Step, ...], part: float) -> dict[int, bytes]:
        safe = dict.fromkeys(self.made, b"") | self.start.content
        waiting: dict[int, bytes] = {}
        for step in done:
            if step.act is Act.WRITE:
                waiting[step.node] = waiting.get(step.node, b"") + step.content
            elif step.act is Act.FLUSH:
                safe[step.node] = safe.get(step.node, b"") + waiting.pop(step.node, b"")
        for node, content in waiting.items():
            safe[node] += content[: int(len(content) * part)]
        return {node: content for node, content in safe.items() if node in self.made or node in self.start.content}


def _choices(unsafe: list[int]) -> Iterable[frozenset[int]]:
    """Return which unsafe steps to lose: the last N for each N; each one alone; all but each one."""
    every = frozenset(unsafe)
    lost = [frozenset(unsafe[at:]) for at in range(len(unsafe) + 1)]
    return dict.fromkeys([*lost, *(frozenset({each}) for each in unsafe), *(every - {each} for each in unsafe)])


def lay_out(state: State, root: Path) -> None:
    """Write a state to a fresh folder."""
    root.mkdir(parents=True)
    for path, content in state.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)
