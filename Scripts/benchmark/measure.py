"""Runs commands and takes their time, their processor time and their peak memory."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Callable

# Variables that snapcat or snapshooter read: a measured process gets only those that its command line gives.
CLEARED = ["FILE_ROOT", "HEAP_ROOT", "SNAP_ROOT", "HEAP_CACHE_FILE", "LOGLEVEL", "SNAPCAT_REPO", "SNAPCAT_CATALOG"]


class BenchError(Exception):
    """A command failed, or answered something else than it had to: its figures would mean nothing."""


def nothing() -> None:
    """Where there is nothing to prepare or to check."""


@dataclass
class Contender:
    """A command that is measured. `prepare` and `check` run before and after each time, and are not measured."""

    name: str
    command: list[str]
    prepare: Callable[[], None] = nothing
    check: Callable[[], None] = nothing
    stdin: str = os.devnull
    stdout: str = os.devnull
    environment: dict[str, str] = field(default_factory=dict)
    # What takes minutes is measured once.
    most_runs: int | None = None


# For each contender the samples of each quantity: "wall" and "cpu" in seconds, "peak" and "size" in bytes.
Samples = dict[str, dict[str, list[float]]]


def run(contender: Contender) -> dict[str, float]:
    """One run. wait4 tells of the process itself; no output goes through a pipe."""
    contender.prepare()
    environment = clean_environment(contender.environment)
    with open(contender.stdin, "rb") as stdin, open(contender.stdout, "wb") as stdout, TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(contender.command, stdin=stdin, stdout=stdout, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()
            raise BenchError(f"{contender.name} ended with {process.returncode}: {said[-1] if said else 'no message'}")
    contender.check()
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024.0}


def race(contenders: list[Contender], runs: int) -> Samples:
    """All in turn, `runs` times, every second time in the reverse order: what disturbs the machine disturbs all."""
    samples: Samples = {contender.name: {"wall": [], "cpu": [], "peak": []} for contender in contenders}
    for turn in range(runs):
        for contender in contenders if turn % 2 == 0 else reversed(contenders):
            if contender.most_runs is not None and turn >= contender.most_runs:
                continue
            for quantity, value in run(contender).items():
                samples[contender.name][quantity].append(value)
    return samples


def median(samples: Samples, contender: str, quantity: str) -> float:
    return statistics.median(samples[contender][quantity])


def clean_environment(additions: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in CLEARED} | additions


def output(command: list[str], **environment: str) -> str:
    """What a command prints; for versions and listings, not for measuring."""
    result = subprocess.run(
        command, env=clean_environment(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise BenchError(f"{' '.join(command[:3])} ended with {result.returncode}: {result.stderr.strip()[-300:]}")
    return result.stdout


def quietly(command: list[str], **environment: str) -> None:
    """A step of a preparation."""
    output(command, **environment)
