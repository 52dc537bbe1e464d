"""Invented histories, written as snapshooter writes them: a pair of snapshots, and a long run of them."""

import os
import zlib
from datetime import datetime, timedelta, timezone
from random import Random

import lines

try:
    # Five times as fast as zlib at its level 1; the contents are the same.
    from isal import isal_zlib as deflate
except ImportError:
    deflate = zlib

START = datetime(2027, 1, 1, tzinfo=timezone.utc)
LINES_PER_CHUNK = 20_000


class SnapshotFile:
    """One `.jsonl.gz` below a snap root, at its place for `taken_at`."""

    def __init__(self, root: str, taken_at: datetime):
        folder = os.path.join(root, f"{taken_at:%Y/%m}")
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, f"{taken_at:%Y-%m-%d_%H-%M-%S_%f}Z.jsonl.gz")
        self._file = open(self.path, "wb")
        self._deflate = deflate.compressobj(1, zlib.DEFLATED, 31)
        self._pending: list[bytes] = []
        self._is_empty = True

    def add(self, line: bytes) -> None:
        self._pending.append(line)
        if len(self._pending) >= LINES_PER_CHUNK:
            self.add_all(self._pending)
            self._pending = []

    def add_all(self, chunk: list[bytes]) -> None:
        """Lines without a newline after the last one, as in the format."""
        if not chunk:
            return
        text = b"\n".join(chunk)
        self._file.write(self._deflate.compress(text if self._is_empty else b"\n" + text))
        self._is_empty = False

    def close(self) -> None:
        self.add_all(self._pending)
        self._file.write(self._deflate.flush())
        self._file.close()


def write_pair(folder: str, entries: int, seed: int) -> dict:
    """`first/` has the left snapshot alone, `pair/` both; 1 % apart. Returns what a comparison has to find."""
    random = Random(seed)
    pair = os.path.join(folder, "pair")
    left = SnapshotFile(pair, START)
    right = SnapshotFile(pair, START + timedelta(days=1))
    counts = {"only_left": 0, "only_right": 0, "different": 0, "equal": 0}
    maker = lines.LineMaker(random)
    for name in lines.names(entries, random):
        line = maker.line(name)
        fate = random.random()
        if fate < 0.0015:
            left.add(line)
            status = "only_left"
        elif fate < 0.003:
            right.add(line)
            status = "only_right"
        else:
            status = "different" if fate < 0.01 else "equal"
            left.add(line)
            right.add(line if status == "equal" else maker.line(name, epoch=3600))
        counts[status] += 1
    left.close()
    right.close()
    first = os.path.join(folder, "first", os.path.relpath(left.path, pair))
    os.makedirs(os.path.dirname(first))
    os.link(left.path, first)
    return {
        "entries": entries,
        "left": os.path.relpath(left.path, folder),
        "right": os.path.relpath(right.path, folder),
        "changes": counts,
        "stored_bytes": os.path.getsize(left.path) + os.path.getsize(right.path),
    }


def write_history(folder: str, entries: int, snapshots: int, seed: int) -> dict:
    """`snap/` with one snapshot an hour, each with 0.5 % of its entries changed, removed or added."""
    random = Random(seed)
    maker = lines.LineMaker(random)
    state = {name: maker.line(name) for name in lines.names(entries, random)}
    ordered = list(state)
    # A file with a history of its own, that no other change touches.
    probe = ordered[len(ordered) // 2]
    stored = 0
    for step in range(snapshots):
        if step > 0:
            ordered = _churn(state, ordered, step, probe, maker, random)
        snapshot = SnapshotFile(os.path.join(folder, "snap"), START + timedelta(hours=step))
        for at in range(0, len(ordered), LINES_PER_CHUNK):
            snapshot.add_all([state[name] for name in ordered[at : at + LINES_PER_CHUNK]])
        snapshot.close()
        stored += os.path.getsize(snapshot.path)
    return {
        "entries": entries,
        "snapshots": snapshots,
        "stored_bytes": stored,
        "probe": probe,
        "probe_versions": 1 + (snapshots - 1) // 5,
        "probe_folder": os.path.dirname(probe),
        "probe_time": f"{START + timedelta(hours=snapshots // 2, minutes=30):%Y-%m-%dT%H:%M:%SZ}",
    }


def _churn(
    state: dict[str, bytes], ordered: list[str], step: int, probe: str, maker: lines.LineMaker, random: Random
) -> list[str]:
    """One step: of 0.5 % of the names 70 % get a new content, 15 % go, 15 % come. Returns the sorted names."""
    touched = max(3, len(ordered) // 200)
    few = max(1, touched * 15 // 100)
    chosen = [name for name in random.sample(ordered, touched) if name != probe]
    gone = chosen[:few]
    for name in chosen[few : len(chosen) - few]:
        state[name] = maker.line(name, epoch=3600 * step)
    for name in chosen[len(chosen) - few :]:
        stem, suffix = os.path.splitext(name)
        new = f"{stem}-v{step}{suffix}"
        if new not in state:
            state[new] = maker.line(new, epoch=3600 * step)
            ordered.append(new)
    if step % 5 == 0:
        state[probe] = maker.line(probe, epoch=3600 * step)
    for name in gone:
        del state[name]
    # Nearly sorted already: a merge of two runs.
    return sorted(name for name in ordered if name in state)
