"""The data sets: made once by `generate.py` in the cache folder, and found again by their names."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from measure import HERE, BenchError


@dataclass(frozen=True)
class Sizes:
    """How large the data is: the sizes of the goals, or smaller ones."""

    corpus_files: int = 60_000
    corpus_bytes: int = 870_000_000
    tree_files: int = 1_000_000
    pair_entries: int = 1_000_000
    large_pair_entries: int = 10_000_000
    history_entries: int = 1_000_000
    history_snapshots: int = 100
    long_entries: int = 20_000
    long_snapshots: int = 1_000
    growth_entries: tuple[int, ...] = (100_000, 1_000_000, 10_000_000)
    growth_files: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    growth_snapshots: tuple[int, ...] = (10, 100, 1_000)


QUICK = Sizes(
    corpus_files=6_000, corpus_bytes=80_000_000, tree_files=100_000, pair_entries=200_000,
    large_pair_entries=2_000_000, history_entries=100_000, history_snapshots=20, long_entries=2_000, long_snapshots=200,
    growth_entries=(20_000, 200_000), growth_files=(10_000, 100_000), growth_snapshots=(20, 200))


@dataclass(frozen=True)
class DataSet:
    path: str
    manifest: dict

    def file(self, *names: str) -> str:
        return os.path.join(self.path, *names)


class DataFolder:
    def __init__(self, root: str, sizes: Sizes):
        self.root = root
        self.sizes = sizes
        self._known: dict[str, DataSet] = {}

    def corpus(self) -> DataSet:
        sizes = self.sizes
        arguments = ["--entries", str(sizes.corpus_files), "--bytes", str(sizes.corpus_bytes)]
        return self._made("corpus", f"corpus-{sizes.corpus_files}", arguments, sizes.corpus_bytes * 5 // 4)

    def tree(self) -> DataSet:
        return self.tree_of(self.sizes.tree_files)

    def tree_of(self, files: int) -> DataSet:
        # A block and an inode for each file, and the same for its object.
        return self._made("tree", f"tree-{files}", ["--entries", str(files)], files * 2 * 4_600)

    def pair(self, is_large: bool) -> DataSet:
        return self.pair_of(self.sizes.large_pair_entries if is_large else self.sizes.pair_entries)

    def pair_of(self, entries: int) -> DataSet:
        return self._made("pair", f"pair-{entries}", ["--entries", str(entries)], entries * 130)

    def history(self, is_long: bool) -> DataSet:
        sizes = self.sizes
        if is_long:
            return self.history_of(sizes.long_entries, sizes.long_snapshots)
        return self.history_of(sizes.history_entries, sizes.history_snapshots)

    def history_of(self, entries: int, snapshots: int) -> DataSet:
        arguments = ["--entries", str(entries), "--snapshots", str(snapshots)]
        return self._made("history", f"history-{entries}x{snapshots}", arguments, entries * snapshots * 62)

    def _made(self, kind: str, name: str, arguments: list[str], needed_bytes: int) -> DataSet:
        if name not in self._known:
            path = os.path.join(self.root, name)
            if not os.path.exists(os.path.join(path, "manifest.json")):
                require_space(self.root, needed_bytes, name)
                print(f"making {name} (about {needed_bytes / 1e9:.1f} GB) ...", file=sys.stderr, flush=True)
                subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), kind, path, *arguments], check=True)
            with open(os.path.join(path, "manifest.json"), encoding="utf-8") as file:
                self._known[name] = DataSet(path, json.load(file))
        return self._known[name]


def require_space(folder: str, needed_bytes: int, purpose: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed_bytes * 1.1:
        raise BenchError(f"{purpose} needs {needed_bytes / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are free")
