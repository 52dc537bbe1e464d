"""The results as a table for the terminal, as JSON and as Markdown."""

import json
import os
import platform
import shutil
import statistics
from datetime import datetime, timezone

from bench import Bench
from measure import BenchError, Samples, output
from row import Goal, Result, quantity_text

HEADER = ["work", "snapcat", "peak memory", "peers", "goal", "found", "met"]


def figure(samples: Samples, contender: str, quantity: str) -> str:
    values = samples[contender].get(quantity)
    return quantity_text(quantity, statistics.median(values)) if values else ""


def own_time(result: Result) -> str:
    """The median, and the range where there is one."""
    walls = result.samples["snapcat"]["wall"]
    text = figure(result.samples, "snapcat", "wall")
    least, most = (quantity_text("wall", value) for value in (min(walls), max(walls)))
    return text if len(walls) < 2 else f"{text} ({least} – {most})"


def peers_text(result: Result) -> str:
    quantities = {goal.quantity for goal in result.row.goals if goal.peers} or {"wall"}
    quantity = next(iter(quantities))
    return ", ".join(
        f"{name} {figure(result.samples, name, quantity)}" for name in result.samples if name != "snapcat")


def is_met(goal: Goal, samples: Samples) -> bool:
    return goal.value(samples) <= goal.limit


def cells(result: Result, title: str) -> list[list[str]]:
    """A line for each goal; what belongs to all of them stands in the first."""
    if not result.samples:
        return [[title, result.absence, "", "", " · ".join(goal.text for goal in result.row.goals), "", ""]]
    lines = []
    for position, goal in enumerate(result.row.goals):
        shared = [title, own_time(result), figure(result.samples, "snapcat", "peak"), peers_text(result)]
        met = "yes" if is_met(goal, result.samples) else "no"
        lines.append((shared if position == 0 else [""] * 4)
                     + [goal.text, goal.value_text(goal.value(result.samples)), met])
    return lines


def print_table(header: list[str], lines: list[list[str]]) -> None:
    lines = [header, *lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def write_markdown(path: str, kind: str, header: list[str], lines: list[list[str]], facts: dict) -> None:
    """Into a page that has the marks of its kind: between them. Else the file is the table."""
    table = (f"`{facts['command']}` on {facts['machine']}, {facts['when'][:10]}; {facts['versions']}.\n"
             f"Medians of {facts['runs']} runs in turn, the least and the most in brackets.\n\n")
    for line in (header, ["---"] * len(header), *lines):
        table += "| " + " | ".join(line) + " |\n"
    table += "\n" + "".join(f"- {note}.\n" for note in facts["notes"])
    before, after = f"<!-- bench: {kind} -->\n", f"<!-- bench: end of {kind} -->"
    page = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            page = file.read()
    start, end = page.find(before), page.find(after)
    if 0 <= start < end:
        table = page[: start + len(before)] + table + page[end:]
    with open(path, "w", encoding="utf-8") as file:
        file.write(table)


def write_json(path: str, content: dict) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")


def as_json(results: list[Result]) -> list[dict]:
    rows = []
    for result in results:
        row: dict = {"row": result.row.name, "title": result.row.title}
        if result.samples:
            row["contenders"] = {
                name: {quantity: spread(values) for quantity, values in quantities.items() if values}
                for name, quantities in result.samples.items()}
            row["goals"] = [
                {"goal": goal.text, "limit": goal.limit, "found": goal.value(result.samples),
                 "met": is_met(goal, result.samples)} for goal in result.row.goals]
        else:
            row["absence"] = result.absence
            row["goals"] = [{"goal": goal.text, "limit": goal.limit} for goal in result.row.goals]
        rows.append(row)
    return rows


def spread(values: list[float]) -> dict[str, float | list[float]]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "samples": values}


def facts(bench: Bench, command: str, smallest_peak: float) -> dict:
    notes = list(bench.notes)
    notes.append(f"Work folder on {file_system(bench.work)}; a peak below {smallest_peak / 1e6:.0f} MB cannot be seen")
    return {
        "command": command, "when": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine(),
        "versions": versions(bench), "runs": bench.runs, "load": os.getloadavg(), "notes": notes,
    }


def machine() -> str:
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores ({model}), {memory / 2**30:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions(bench: Bench) -> str:
    import importlib.metadata

    found = [f"snapcat {output([bench.snapcat, '--version']).strip().removeprefix('snapcat ')}"]
    for program, arguments in (("restic", ["version"]), ("borg", ["--version"])):
        if shutil.which(program):
            found.append(" ".join(output([program, *arguments]).split()[:2]))
    for package in ("duckdb", "snapshooter"):
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def file_system(place: str) -> str:
    try:
        return output(["stat", "-f", "-c", "%T", place]).strip()
    except BenchError:
        return "an unknown file system"
