"""What the rows share: the program, the data, the work folder, and the repositories that are filled once."""

import functools
import os
from dataclasses import dataclass, field

import peers
from data import DataFolder, require_space
from measure import Contender, Samples, Stopwatch, build, quietly, race


@dataclass(eq=False)
class Bench:
    snapcat: str
    data: DataFolder
    work: str
    runs: int
    # It takes minutes: measured once, and not in a quick run.
    measures_snapshooter: bool
    notes: list[str] = field(default_factory=list)

    @functools.cached_property
    def stopwatch(self) -> Stopwatch:
        return Stopwatch(self.work)

    def race(self, contenders: list[Contender], runs_factor: int = 1) -> Samples:
        return race(self.stopwatch, contenders, self.runs * runs_factor)

    def place(self, name: str) -> str:
        return os.path.join(self.work, name)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    @functools.cached_property
    def corpus(self) -> str:
        """The corpus in the work folder, which may be a tmpfs."""
        made = self.data.corpus()
        files, size = made.manifest["files"], made.manifest["bytes"]
        self.note(f"Corpus M: {files:,} files, {size / 1e6:,.0f} MB, copied from this machine's /usr")
        require_space(self.work, size * 4, "corpus M with the repositories and what is restored")
        target = self.place("corpus")
        quietly(["cp", "-a", made.file("tree"), target])
        return target

    @functools.cache
    def filled(self, peer: str, purpose: str = "filled") -> str:
        """A repository of the peer with the corpus in it, twice, so that all its caches are warm. Whoever adds to it
        has a purpose of its own: no row's cost depends on those before it."""
        place = self.place(f"{purpose}-{peer}")
        for contender in (peers.first_make(self, peer, place), peers.make(self, peer, place)):
            contender.prepare()
            quietly(contender.command, **contender.environment)
        return place

    @functools.cached_property
    def limit(self) -> str:
        """The program that does only what must be done."""
        return build("limit", self.work, "-lisal", "-lcrypto")

    @functools.cache
    def catalog(self, snap_root: str, name: str) -> str:
        """A catalog that has indexed a snap root."""
        path = self.place(name + ".sqlite")
        quietly([self.snapcat, "catalog", "sync", "-q", "--snap-root", snap_root, "--catalog", path])
        return path
