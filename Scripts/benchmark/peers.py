"""The command lines of snapcat and its peers, at their default settings or faster ones."""

import os
import sys
from typing import TYPE_CHECKING

from files import remove
from measure import BenchError, Contender, output, quietly

if TYPE_CHECKING:
    from bench import Bench

# The keys that snapshooter writes, as columns of DuckDB.
DUCKDB_COLUMNS = (
    "{created: 'DOUBLE', gid: 'BIGINT', ino: 'BIGINT', islink: 'BOOLEAN', md5: 'VARCHAR', mode: 'BIGINT', "
    "mtime: 'DOUBLE', name: 'VARCHAR', nlink: 'BIGINT', size: 'BIGINT', type: 'VARCHAR', uid: 'BIGINT'}"
)


def environment(place: str) -> dict[str, str]:
    """The peers' passwords and caches, in the work folder."""
    return {
        "RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": place + "-cache", "BORG_BASE_DIR": place + "-cache",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    }


def make(bench: "Bench", peer: str, place: str) -> Contender:
    """A snapshot of the corpus into a repository that is there."""
    tree = bench.corpus
    match peer:
        case "snapcat":
            command = [bench.snapcat, "make", tree, "--repo", place, "-q"]
        case "restic":
            command = ["restic", "-q", "-r", place, "backup", tree]
        case "borg":
            command = ["borg", "create", "-C", "lz4", place + "::{utcnow:%H%M%S%f}", tree]
        case _:
            command = snapshooter(place, tree, "make-snapshot")
    return Contender(peer, command, environment=environment(place))


def first_make(bench: "Bench", peer: str, place: str) -> Contender:
    """The same into a new repository; that it is created empty is not measured where it is a command of its own."""
    contender = make(bench, peer, place)

    def prepare() -> None:
        remove(place, place + "-cache")
        match peer:
            case "restic":
                quietly(["restic", "-q", "-r", place, "init"], **environment(place))
            case "borg":
                quietly(["borg", "init", "--encryption", "none", place], **environment(place))
            case "snapshooter":
                for part in ("heap", "snap"):
                    os.makedirs(os.path.join(place, part))

    contender.prepare = prepare
    return contender


def restore(bench: "Bench", peer: str, place: str) -> Contender:
    """The corpus out of a filled repository into an empty folder; all its files have to be there."""
    target = bench.place("restored")
    expected = bench.data.corpus().manifest["files"]
    match peer:
        case "snapcat":
            command = [bench.snapcat, "restore", "latest", "--file-root", target, "--repo", place, "-q"]
        case "restic":
            command = ["restic", "-q", "-r", place, "restore", "latest", "--target", target]
        case "borg":
            command = ["env", "-C", target, "borg", "extract", f"{place}::{last_borg_archive(place)}"]
        case "cp -a":
            command = ["cp", "-a", bench.corpus + "/.", target]
        case _:
            command = snapshooter(
                place, target, "restore-snapshot", "--no-save-snapshot-before", "--no-save-snapshot-after")

    def prepare() -> None:
        remove(target)
        os.makedirs(target)

    def check() -> None:
        found = sum(len(files) for _, _, files in os.walk(target))
        if found != expected:
            raise BenchError(f"{peer} restored {found} files of {expected}")

    return Contender(peer, command, prepare, check, environment=environment(place))


def last_borg_archive(place: str) -> str:
    return output(["borg", "list", "--short", "--last", "1", place], **environment(place)).strip()


def snapshooter(place: str, file_root: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "snapshooter.cli", "--file-root", file_root, "--heap-root", place + "/heap",
            "--snap-root", place + "/snap", "--loglevel", "ERROR", *arguments]


def duckdb(sql: str) -> list[str]:
    """DuckDB through Python, as it comes from pip, with all cores."""
    return [sys.executable, "-c", "import duckdb, sys; duckdb.sql(sys.argv[1]) if sys.argv[1] else None", sql]


def duckdb_source(path: str) -> str:
    return f"read_json('{path}', format='newline_delimited', columns={DUCKDB_COLUMNS})"


def duckdb_read(path: str, result: str) -> list[str]:
    return duckdb(f"COPY (SELECT count(*) AS files, sum(size) AS bytes FROM {duckdb_source(path)}) TO '{result}'")


def duckdb_compare(left: str, right: str, result: str) -> list[str]:
    """The same rows, columns and order as `snapcat compare --format csv`."""
    return duckdb(f"""
        COPY (
            SELECT CASE WHEN r.name IS NULL THEN 'only_left' WHEN l.name IS NULL THEN 'only_right'
                    ELSE 'different' END AS status,
                coalesce(l.name, r.name) AS name, l.type AS type_left, r.type AS type_right,
                l.size AS size_left, r.size AS size_right, l.md5 AS md5_left, r.md5 AS md5_right,
                l.mtime AS mtime_left, r.mtime AS mtime_right, l.mode AS mode_left, r.mode AS mode_right
            FROM {duckdb_source(left)} AS l FULL OUTER JOIN {duckdb_source(right)} AS r ON l.name = r.name
            WHERE l.md5 IS DISTINCT FROM r.md5
            ORDER BY coalesce(l.name, r.name)
        ) TO '{result}' (HEADER, DELIMITER ',')
        """)
