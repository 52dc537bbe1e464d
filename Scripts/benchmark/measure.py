"""Runs commands and takes their time, their processor time and their peak memory."""

import os
import statistics
import subprocess
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Callable

HERE = os.path.dirname(os.path.abspath(__file__))

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


def build(name: str, folder: str, *libraries: str) -> str:
    """Compiles one of the C programs beside this file."""
    program = os.path.join(folder, name)
    quietly(["cc", "-O2", "-pthread", "-Wno-deprecated-declarations", os.path.join(HERE, name + ".c"), "-o", program,
             *libraries])
    return program


class Stopwatch:
    def __init__(self, folder: str):
        self._launch = build("launch", folder)
        self._result = os.path.join(folder, "launch.result")

    def run(self, contender: Contender) -> dict[str, float]:
        """One run; no output goes through a pipe."""
        contender.prepare()
        command = [self._launch, self._result, *contender.command]
        with open(contender.stdin, "rb") as stdin, open(contender.stdout, "wb") as stdout, TemporaryFile() as errors:
            status = subprocess.run(command, stdin=stdin, stdout=stdout, stderr=errors,
                                    env=clean_environment(contender.environment)).returncode
            if status != 0:
                errors.seek(0)
                said = errors.read().decode("utf-8", "replace").strip().splitlines()
                raise BenchError(f"{contender.name} ended with {status}: {said[-1] if said else 'no message'}")
        contender.check()
        with open(self._result, encoding="ascii") as file:
            wall, cpu, kilobytes = map(float, file.read().split())
        return {"wall": wall, "cpu": cpu, "peak": kilobytes * 1024}


def race(stopwatch: Stopwatch, contenders: list[Contender], runs: int) -> Samples:
    """All in turn, `runs` times, every second time in the reverse order: what disturbs the machine disturbs all."""
    samples: Samples = {contender.name: {"wall": [], "cpu": [], "peak": []} for contender in contenders}
    for turn in range(runs):
        for contender in contenders if turn % 2 == 0 else reversed(contenders):
            if contender.most_runs is not None and turn >= contender.most_runs:
                continue
            for quantity, value in stopwatch.run(contender).items():
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
