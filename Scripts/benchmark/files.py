"""Small steps with files, between the runs that are measured."""

import os
import shutil

from measure import BenchError


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
