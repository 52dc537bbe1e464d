"""The rows about a pair of snapshots: comparing and indexing them, against DuckDB over the same files."""

import os

import peers
from bench import Bench
from data import DataSet
from files import copy_catalog, remove, remove_catalog, require_lines
from measure import Contender, Samples
from row import Goal, row


@row("compare-indexed", "compare of pair J, indexed", Goal(0.02, ("DuckDB",)), Goal(60e6, quantity="peak"))
def compare_indexed(bench: Bench) -> Samples:
    return indexed(bench, is_large=False)


@row("compare-indexed-large", "the same, ten times as large", Goal(0.02, ("DuckDB",)), Goal(60e6, quantity="peak"),
     is_large=True)
def compare_indexed_large(bench: Bench) -> Samples:
    return indexed(bench, is_large=True)


def indexed(bench: Bench, is_large: bool) -> Samples:
    pair = bench.data.pair(is_large)
    catalog = bench.catalog(pair.file("pair"), "pair-large" if is_large else "pair")
    arguments = ["oldest", "latest", "--snap-root", pair.file("pair"), "--catalog", catalog]
    return compared(bench, pair, arguments, is_large)


@row("compare-files", "compare of pair J, not indexed", Goal(0.35, ("DuckDB",)))
def compare_files(bench: Bench) -> Samples:
    return files(bench, is_large=False)


@row("compare-files-large", "the same, ten times as large", Goal(0.35, ("DuckDB",)), is_large=True)
def compare_files_large(bench: Bench) -> Samples:
    return files(bench, is_large=True)


def files(bench: Bench, is_large: bool) -> Samples:
    pair = bench.data.pair(is_large)
    arguments = [pair.file(pair.manifest["left"]), pair.file(pair.manifest["right"])]
    return compared(bench, pair, arguments, is_large)


def compared(bench: Bench, pair: DataSet, arguments: list[str], is_large: bool) -> Samples:
    """All write the same rows as CSV; their number is checked."""
    changes = sum(count for status, count in pair.manifest["changes"].items() if status != "equal")
    left, right = (pair.file(pair.manifest[side]) for side in ("left", "right"))
    own, other = bench.place("snapcat.csv"), bench.place("duckdb.csv")
    contenders = [
        Contender("snapcat", [bench.snapcat, "compare", *arguments, "-q", "--format", "csv"], stdout=own,
                  check=lambda: require_lines(own, changes)),
        Contender("DuckDB", peers.duckdb_compare(left, right, other), lambda: remove(other),
                  check=lambda: require_lines(other, changes)),
        Contender("import duckdb", peers.duckdb("")),
    ]
    if bench.measures_snapshooter and not is_large:
        place = bench.place("snapshooter-compare")
        os.makedirs(place + "/heap", exist_ok=True)
        command = peers.snapshooter(place, place, "compare-snapshots", "--path1", left, "--path2", right)
        for status in ("only_left", "only_right", "different"):
            command += ["--diff-state", status]
        contenders.append(Contender("snapshooter", command, most_runs=1))
    bench.note("DuckDB's figures include the start of Python and 'import duckdb', shown as 'import duckdb'")
    return bench.race(contenders)


@row("catalog-index-first", "index of a first snapshot of pair J", Goal(3.0, ("DuckDB",)))
def index_first(bench: Bench) -> Samples:
    return first(bench, is_large=False)


@row("catalog-index-first-large", "the same, ten times as large", Goal(3.0, ("DuckDB",)), is_large=True)
def index_first_large(bench: Bench) -> Samples:
    return first(bench, is_large=True)


def first(bench: Bench, is_large: bool) -> Samples:
    pair = bench.data.pair(is_large)
    catalog = bench.place("indexed.sqlite")
    samples = bench.race([
        Contender("snapcat", sync(bench, pair.file("first"), catalog), lambda: remove_catalog(catalog)),
        read_by_duckdb(bench, pair.file(pair.manifest["left"]))])
    remove_catalog(catalog)
    return samples


@row("catalog-index-next", "index of the next one, 1 % changed", Goal(0.7, ("DuckDB",)))
def index_next(bench: Bench) -> Samples:
    return following(bench, is_large=False)


@row("catalog-index-next-large", "the same, ten times as large", Goal(0.7, ("DuckDB",)), is_large=True)
def index_next_large(bench: Bench) -> Samples:
    return following(bench, is_large=True)


def following(bench: Bench, is_large: bool) -> Samples:
    pair = bench.data.pair(is_large)
    before = bench.catalog(pair.file("first"), "first-large" if is_large else "first")
    catalog = bench.place("indexed.sqlite")
    samples = bench.race([
        Contender("snapcat", sync(bench, pair.file("pair"), catalog), lambda: copy_catalog(before, catalog)),
        read_by_duckdb(bench, pair.file(pair.manifest["right"]))])
    remove_catalog(catalog)
    return samples


def sync(bench: Bench, snap_root: str, catalog: str) -> list[str]:
    return [bench.snapcat, "catalog", "sync", "-q", "--snap-root", snap_root, "--catalog", catalog]


def read_by_duckdb(bench: Bench, path: str) -> Contender:
    """DuckDB counts the entries and sums their sizes, and keeps nothing."""
    result = bench.place("read.csv")
    return Contender("DuckDB", peers.duckdb_read(path, result), lambda: remove(result))
