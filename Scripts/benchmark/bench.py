"""What the rows share: the program, the data, the work folder, and the repositories that are filled once."""

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass, field

import peers
from data import HERE, DataFolder, require_space
from measure import BenchError, Contender, Samples, quietly, race


@dataclass(eq=False)
class Bench:
    snapcat: str
    data: DataFolder
    work: str
    runs: int
    # It takes minutes: measured once, and not in a quick run.
    measures_snapshooter: bool
    notes: list[str] = field(default_factory=list)

    def race(self, contenders: list[Contender], runs_factor: int = 1) -> Samples:
        return race(contenders, self.runs * runs_factor)

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
    def filled(self, peer: str) -> str:
        """A repository of the peer with the corpus in it, twice, so that all its caches are warm."""
        place = self.place(f"filled-{peer}")
        for contender in (peers.first_make(self, peer, place), peers.make(self, peer, place)):
            contender.prepare()
            quietly(contender.command, **contender.environment)
        return place

    @functools.cached_property
    def limit(self) -> str:
        """The program that does only what must be done."""
        program = self.place("limit")
        source = os.path.join(HERE, "limit.c")
        subprocess.run(["cc", "-O2", "-pthread", "-Wno-deprecated-declarations", source, "-o", program,
                        "-lisal", "-lcrypto"], check=True)
        return program

    @functools.cache
    def catalog(self, snap_root: str, name: str) -> str:
        """A catalog that has indexed a snap root."""
        path = self.place(name + ".sqlite")
        quietly([self.snapcat, "catalog", "sync", "-q", "--snap-root", snap_root, "--catalog", path])
        return path


def remove(*places: str) -> None:
    for place in places:
        if os.path.isdir(place):
            shutil.rmtree(place)
        elif os.path.exists(place):
            os.remove(place)


def remove_catalog(path: str) -> None:
    remove(path, path + "-wal", path + "-shm", path + "-journal")


def copy_catalog(source: str, target: str) -> None:
    remove_catalog(target)
    for suffix in ("", "-wal"):
        if os.path.exists(source + suffix):
            shutil.copyfile(source + suffix, target + suffix)


def require_lines(path: str, expected: int) -> None:
    """A CSV of so many rows below its header."""
    with open(path, "rb") as file:
        found = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1
    if found != expected:
        raise BenchError(f"{os.path.basename(path)} has {found} rows, and {expected} are right")
