"""How cost grows: the same commands over data of ten and a hundred times the size."""

import gzip
import json
import math
import os
from dataclasses import dataclass, field
from typing import Callable

from bench import Bench
from data import DataSet
from files import copy_catalog, remove, remove_catalog
from measure import Contender, Samples, median, nothing
from row import quantity_text
from rows_trees import listing_command

# What is in proportion may cost a tenth of a decade more: a logarithm, a colder cache.
LINEAR_EXPONENT = 1.1
# An answer from an index reads as many pages as the index is deep.
FLAT_EXPONENT = 0.25

HEADER = ["command", "grows with", "sizes", "time", "peak memory", "exponent", "met"]


@dataclass
class Series:
    """One command over several sizes."""

    name: str
    title: str
    # What grows: "entries", "files" or "snapshots".
    axis: str
    # The command's work grows with it, or does not.
    is_linear: bool
    # The system's own work, which no goal is set for: whoever does the same grows as it does.
    is_control: bool = False
    sizes: list[int] = field(default_factory=list)
    samples: list[Samples] = field(default_factory=list)

    def values(self, quantity: str) -> list[float]:
        return [median(samples, self.name, quantity) for samples in self.samples]

    @property
    def exponent(self) -> float | None:
        """Of the last step: 1 is ten times the time for ten times the size. None where there is no step."""
        if len(self.sizes) < 2:
            return None
        least, most = self.values("wall")[-2:]
        return math.log(most / least) / math.log(self.sizes[-1] / self.sizes[-2])

    @property
    def limit(self) -> float:
        return LINEAR_EXPONENT if self.is_linear else FLAT_EXPONENT

    @property
    def is_met(self) -> bool:
        return self.is_control or self.exponent is None or self.exponent <= self.limit

    @property
    def cells(self) -> list[str]:
        def chain(texts) -> str:
            return " → ".join(texts)

        limit = "" if self.is_control else f" (≤ {self.limit:g})"
        exponent = "" if self.exponent is None else f"{self.exponent:.2f}{limit}"
        return [self.title, self.axis, chain(f"{size:,}" for size in self.sizes),
                chain(quantity_text("wall", value) for value in self.values("wall")),
                chain(quantity_text("peak", value) for value in self.values("peak")), exponent,
                "" if self.is_control else "yes" if self.is_met else "no"]

    @property
    def facts(self) -> dict:
        return {"name": self.name, "title": self.title, "axis": self.axis, "exponent": self.exponent,
                "limit": None if self.is_control else self.limit, "met": self.is_met, "sizes": self.sizes, "wall": self.values("wall"),
                "peak": self.values("peak")}


class Growth:
    """All series; those of one axis are measured size by size."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self.series: dict[str, Series] = {}
        self._axis, self._size = "", 0

    def measure(self) -> list[Series]:
        data = self.bench.data
        for size in data.sizes.growth_entries:
            self._axis, self._size = "entries", size
            self._by_entries(data.pair_of(size))
        for size in data.sizes.growth_files:
            self._axis, self._size = "files", size
            self._by_files(data.tree_of(size))
        for size in data.sizes.growth_snapshots:
            self._axis, self._size = "snapshots", size
            self._by_snapshots(data.history_of(data.sizes.long_entries, size))
        return list(self.series.values())

    def _add(self, name: str, title: str, is_linear: bool, arguments: list[str],
             prepare: Callable[[], None] = nothing, factor: int = 1) -> None:
        contender = Contender(name, [self.bench.snapcat, *arguments, "-q"], prepare)
        self._measure(Series(name, title, self._axis, is_linear), contender, factor)

    def _add_control(self, name: str, title: str, command: list[str], prepare: Callable[[], None] = nothing) -> None:
        self._measure(Series(name, title, self._axis, is_linear=True, is_control=True), Contender(name, command, prepare))

    def _measure(self, new: Series, contender: Contender, factor: int = 1) -> None:
        one = self.series.setdefault(new.name, new)
        one.sizes.append(self._size)
        one.samples.append(self.bench.race([contender], factor))

    def _by_entries(self, pair: DataSet) -> None:
        before, catalog = self.bench.place("growth-first.sqlite"), self.bench.place("growth.sqlite")
        first = ["catalog", "sync", "--snap-root", pair.file("first"), "--catalog", before]
        self._add("index-first", "index of a first snapshot", True, first, lambda: remove_catalog(before))
        roots = ["--snap-root", pair.file("pair"), "--catalog", catalog]
        self._add("index-next", "index of the next one, 1 % changed", True, ["catalog", "sync", *roots],
                  lambda: copy_catalog(before, catalog))
        roots += ["--format", "csv"]
        self._add("compare-indexed", "compare, indexed, 1 % changed", True, ["compare", "oldest", "latest", *roots])
        left, right = (pair.file(pair.manifest[side]) for side in ("left", "right"))
        self._add("compare-files", "compare of two files", True, ["compare", left, right, "--format", "csv"])
        name = first_name(left)
        self._add("find-exact", "find by exact name", False, ["find", name, *roots], factor=3)
        self._add("find-substring", "find by substring", True, ["find", "--substring", os.path.basename(name)[1:-4], *roots])
        remove_catalog(before)
        remove_catalog(catalog)

    def _by_files(self, tree: DataSet) -> None:
        repository, target = self.bench.place("growth-repository"), self.bench.place("growth-restored")
        make = ["make", tree.file("tree"), "--repo", repository]
        self._add("make-first", "first make of small files", True, make, lambda: remove(repository))
        self._add("make-unchanged", "make, nothing changed", True, make)
        # It asks the system for the same facts of the same files.
        self._add_control("find", "(find -printf of the same files)", listing_command(tree.file("tree")))
        self._add("check", "check --read-data", True, ["check", "--read-data", "--repo", repository])
        self._add("restore", "restore to an empty folder", True,
                  ["restore", "latest", "--file-root", target, "--repo", repository], lambda: remove(target))
        # It makes the same files.
        self._add_control("copy", "(cp -a of the same files)", ["cp", "-a", tree.file("tree"), target], lambda: remove(target))
        remove(repository, target)

    def _by_snapshots(self, history: DataSet) -> None:
        catalog = self.bench.place("growth.sqlite")
        roots = ["--snap-root", history.file("snap"), "--catalog", catalog]
        self._add("index-all", "index of all snapshots", True, ["catalog", "sync", *roots],
                  lambda: remove_catalog(catalog))
        roots += ["--format", "csv"]
        self._add("compare-neighbours", "compare of neighbours", False, ["compare", "latest~1", "latest", *roots], factor=3)
        self._add("compare-ends", "compare of the first and the last", True, ["compare", "oldest", "latest", *roots])
        self._add("history", "history of a name", False, ["history", history.manifest["probe"], *roots], factor=3)
        folder = history.manifest["probe_folder"]
        self._add("find-prefix", "find by prefix", False, ["find", folder + "/*", *roots], factor=3)
        self._add("list", "list of the snapshots", True, ["list", *roots], factor=3)
        remove_catalog(catalog)


def first_name(snapshot: str) -> str:
    with gzip.open(snapshot) as file:
        return json.loads(file.readline())["name"]
