"""Scripts/bench: measures snapcat against its peers, each goal of the project as a row."""

import argparse
import fnmatch
import os
import shlex
import shutil
import sys
import tempfile

# The order of the table is the order of these imports.
import rows_trees
import rows_compare
import rows_history  # noqa: F401

import growth
import plot
import report
from bench import Bench
from data import QUICK, DataFolder, Sizes
from measure import BenchError, Contender
from row import ROWS, Result, Row, lacks

TMPFS = "/dev/shm"
# The corpus, three repositories of it, a restored one, and the catalogs.
TMPFS_BYTES = 6 << 30


def parse() -> argparse.Namespace:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser = argparse.ArgumentParser(prog="Scripts/bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the rows, and stop")
    parser.add_argument("--rows", metavar="NAME,...", help="only these rows; a name may be a glob")
    parser.add_argument("--history-only", action="store_true", help="the same as --rows 'catalog-*,compare-indexed'")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size; under three minutes")
    parser.add_argument("--large", action="store_true", help="also the rows at ten times the size")
    parser.add_argument("--growth", action="store_true", help="instead of the rows: how snapcat's own cost grows with "
                        "entries, files and snapshots")
    parser.add_argument("--plot", metavar="FILE", help="of --growth: the plot, as SVG")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each command (default 3)")
    parser.add_argument("--without-snapshooter", action="store_true", help="leave out the peer that takes minutes")
    parser.add_argument("--data", metavar="DIR", default=os.path.join(cache, "snapcat-bench"),
                        help="where the data is made and found again (default: %(default)s)")
    parser.add_argument("--work", metavar="DIR", help="where repositories and restored files go for the time of the "
                        "run (default: /dev/shm where it has room, else DIR of --data)")
    parser.add_argument("--json", metavar="FILE", default="bench.json", help="default: %(default)s")
    parser.add_argument("--markdown", metavar="FILE", action="append", default=[],
                        help="the table; a page with its marks keeps its other text")
    parser.add_argument("--snapcat", metavar="FILE", default="snapcat",
                        help="the program to measure (default: a release build of this source)")
    return parser.parse_args()


def chosen(arguments: argparse.Namespace) -> list[Row]:
    patterns = ["catalog-*", "compare-indexed"] if arguments.history_only else (arguments.rows or "*").split(",")
    for pattern in patterns:
        if not fnmatch.filter([row.name for row in ROWS], pattern):
            sys.exit(f"bench: no row is called '{pattern}'; --list names them")
    named = set(patterns)
    return [row for row in ROWS if any(fnmatch.fnmatchcase(row.name, pattern) for pattern in patterns)
            and (arguments.large or not row.is_large or row.name in named)]


def work_parent(arguments: argparse.Namespace) -> str:
    if arguments.work:
        return arguments.work
    if os.path.isdir(TMPFS) and shutil.disk_usage(TMPFS).free > TMPFS_BYTES:
        return TMPFS
    return arguments.data


def measured(bench: Bench, row: Row) -> Result:
    absence = lacks(bench.snapcat, row.needs)
    if absence:
        return Result(row, absence=f"not measured: {absence}")
    print(f"{row.name} ...", file=sys.stderr, flush=True)
    try:
        return Result(row, row.measure(bench))
    except (BenchError, OSError) as error:
        return Result(row, absence=f"failed: {error}", is_failure=True)


def without_files(arguments: list[str]) -> list[str]:
    """What was measured, not where: a page with the table is for other machines too."""
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        if word.split("=")[0] not in ("--snapcat", "--data", "--work", "--json", "--markdown", "--plot"):
            kept.append(word)
        elif "=" not in word:
            next(words, None)
    return kept


def main() -> int:
    arguments = parse()
    rows = chosen(arguments)
    if arguments.list:
        for row in rows if arguments.rows or arguments.history_only else ROWS:
            print(f"{row.name:28}{row.title}")
        return 0
    os.makedirs(arguments.data, exist_ok=True)
    sizes = QUICK if arguments.quick else Sizes()
    with tempfile.TemporaryDirectory(prefix="snapcat-bench-", dir=work_parent(arguments)) as work:
        bench = Bench(arguments.snapcat, DataFolder(arguments.data, sizes), work, arguments.runs,
                      not (arguments.quick or arguments.without_snapshooter))
        if arguments.quick:
            bench.note("A quick run: about a tenth of the sizes that the goals speak of")
        smallest_peak = bench.stopwatch.run(Contender("true", ["true"]))["peak"]
        command = shlex.join(["Scripts/bench", *without_files(sys.argv[1:])])
        if arguments.growth:
            series = growth.Growth(bench).measure()
            tell(arguments, "growth", growth.HEADER, [one.cells for one in series], report.facts(bench, command, smallest_peak),
                 {"growth": [one.facts for one in series]})
            if arguments.plot:
                with open(arguments.plot, "w", encoding="utf-8") as file:
                    file.write(plot.svg(series))
            return 0
        results = [measured(bench, row) for row in rows]
        lines = [line for result in results for line in report.cells(result, result.row.title)]
        tell(arguments, "rows", report.HEADER, lines, report.facts(bench, command, smallest_peak),
             {"rows": report.as_json(results)})
    return 2 if any(result.is_failure for result in results) else 0


def tell(arguments: argparse.Namespace, kind: str, header: list[str], lines: list[list[str]], facts: dict,
         found: dict) -> None:
    report.print_table(header, lines)
    print("\n" + "\n".join(facts["notes"]))
    report.write_json(arguments.json, facts | found)
    for path in arguments.markdown:
        report.write_markdown(path, kind, header, lines, facts)


sys.exit(main())
