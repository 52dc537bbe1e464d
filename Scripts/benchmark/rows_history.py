"""The rows about long histories: what the catalog takes, and how fast it answers."""

import os

from bench import Bench
from data import DataSet
from files import remove_catalog
from measure import BenchError, Contender, Samples, output
from row import Goal, row

ANSWER = Goal(0.050)


@row("catalog-size", "catalog of 100 snapshots, against their gzip JSONL", Goal(0.10, ("JSONL",), "size"))
def catalog_size(bench: Bench) -> Samples:
    history = bench.data.history(is_long=False)
    catalog = bench.place("size.sqlite")
    remove_catalog(catalog)
    command = [bench.snapcat, "catalog", "sync", "-q", "--snap-root", history.file("snap"), "--catalog", catalog]
    # One run: it indexes all snapshots.
    contender = Contender("snapcat", command, most_runs=1)
    samples = bench.race([contender])
    samples["snapcat"]["size"] = [float(os.path.getsize(catalog))]
    samples["JSONL"] = {"size": [float(history.manifest["stored_bytes"])]}
    remove_catalog(catalog)
    return samples


@row("catalog-compare-neighbours", "compare of neighbours among 100 snapshots", Goal(0.1), Goal(60e6, quantity="peak"))
def compare_neighbours(bench: Bench) -> Samples:
    return compared(bench, "latest~1", runs_factor=3)


@row("catalog-compare-ends", "compare of the first and the last of 100 snapshots", Goal(5.0))
def compare_ends(bench: Bench) -> Samples:
    return compared(bench, "oldest", runs_factor=1)


def compared(bench: Bench, left: str, runs_factor: int) -> Samples:
    history, roots = place(bench, is_long=False)
    command = [bench.snapcat, "compare", left, "latest", "-q", "--format", "csv", *roots]
    return bench.race([Contender("snapcat", command, stdout=bench.place("history.csv"))], runs_factor)


@row("catalog-history", "history of a name over 100 snapshots of 1 M entries", ANSWER)
def history_of_many(bench: Bench) -> Samples:
    return history_rows(bench, is_long=False)


@row("catalog-history-long", "history of a name over 1000 snapshots", ANSWER)
def history_of_long(bench: Bench) -> Samples:
    return history_rows(bench, is_long=True)


def history_rows(bench: Bench, is_long: bool) -> Samples:
    history, _ = place(bench, is_long)
    sql = "SELECT valid_from, valid_to, size, md5 FROM file_version WHERE name = :name ORDER BY valid_from"
    return asked(
        bench, is_long, sql, history.manifest["probe_versions"], name=history.manifest["probe"])


@row("catalog-find-exact", "find by exact name over 1000 snapshots", ANSWER)
def find_exact(bench: Bench) -> Samples:
    history, _ = place(bench, is_long=True)
    return asked(
        bench, True, "SELECT name, size, md5 FROM current_file WHERE name = :name", 1, name=history.manifest["probe"])


@row("catalog-find-prefix", "find by prefix over 1000 snapshots", ANSWER)
def find_prefix(bench: Bench) -> Samples:
    history, _ = place(bench, is_long=True)
    folder = history.manifest["probe_folder"]
    return asked(
        bench, True, "SELECT name, size, md5 FROM file_version WHERE name >= :first AND name < :last",
        None, first=folder + "/", last=folder + "0")


@row("catalog-latest-before", "a file in the latest snapshot before a time, over 1000", ANSWER)
def latest_before(bench: Bench) -> Samples:
    history, _ = place(bench, is_long=True)
    sql = """
        SELECT taken_at, size, md5 FROM snapshot_file
        WHERE snapshot_id = (SELECT id FROM snapshot WHERE taken_at <= :time ORDER BY taken_at_us DESC LIMIT 1)
            AND name = :name
        """
    return asked(bench, True, sql, 1, time=history.manifest["probe_time"], name=history.manifest["probe"])


@row("catalog-find-substring", "find by substring over 1 M names, as SQL", Goal(0.5))
def find_substring(bench: Bench) -> Samples:
    history, _ = place(bench, is_long=False)
    return asked(
        bench, False, "SELECT name FROM current_file WHERE name LIKE :pattern", None,
        pattern=f"%{substring(history)}%")


@row("history", "the command history over 1000 snapshots", ANSWER, needs=("history",))
def history_command(bench: Bench) -> Samples:
    history, roots = place(bench, is_long=True)
    return command(bench, ["history", history.manifest["probe"], *roots])


@row("find-prefix", "the command find by prefix over 1000 snapshots", ANSWER, needs=("find",))
def find_command(bench: Bench) -> Samples:
    history, roots = place(bench, is_long=True)
    return command(bench, ["find", history.manifest["probe_folder"] + "/*", *roots])


@row("find-substring", "the command find --substring over 1 M names", Goal(0.5), needs=("find", "--substring"))
def find_substring_command(bench: Bench) -> Samples:
    history, roots = place(bench, is_long=False)
    return command(bench, ["find", "--substring", substring(history), *roots])


def place(bench: Bench, is_long: bool) -> tuple[DataSet, list[str]]:
    """A history with its catalog, indexed once for all rows."""
    history = bench.data.history(is_long)
    catalog = bench.catalog(history.file("snap"), "long" if is_long else "history")
    manifest = history.manifest
    bench.note(f"{'Long history' if is_long else 'History'}: {manifest['snapshots']:,} snapshots of "
               f"{manifest['entries']:,} entries, 0.5 % churn, {manifest['stored_bytes'] / 1e9:.2f} GB of gzip JSONL")
    return history, ["--snap-root", history.file("snap"), "--catalog", catalog]


def substring(history: DataSet) -> str:
    """A part of a basename that few names have, and none begins with."""
    stem, _ = os.path.splitext(os.path.basename(history.manifest["probe"]))
    return stem[1:]


def asked(bench: Bench, is_long: bool, sql: str, rows: int | None, **parameters: str) -> Samples:
    """SQL through `snapcat query`; the number of rows is checked (None: at least one)."""
    _, roots = place(bench, is_long)
    arguments = [part for name, value in parameters.items() for part in ("-p", f"{name}={value}")]
    return command(bench, ["query", sql, *arguments, *roots], rows)


def command(bench: Bench, arguments: list[str], rows: int | None = None) -> Samples:
    line = [bench.snapcat, *arguments, "-q", "--format", "csv"]
    found = len(output(line).splitlines()) - 1
    if found < 1 or rows is not None and found != rows:
        raise BenchError(f"snapcat {arguments[0]} gave {found} rows" + (f", and {rows} are right" if rows else ""))
    return bench.race([Contender("snapcat", line)], runs_factor=3)
