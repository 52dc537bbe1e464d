"""Trees of real files: a mixed corpus out of what the machine has, and a tree of very many small files."""

import os
import shutil
import stat
from random import Random

# In this order, until there is enough: headers, documentation, Python packages, then whatever else is there.
CORPUS_SOURCES = ["/usr/include", "/usr/lib/python3", "/usr/lib/python3.*", "/usr/share", "/usr/lib", "/opt"]
LARGEST_CORPUS_FILE = 32 << 20
SMALL_FILES_PER_FOLDER = 100


def copy_corpus(folder: str, most_files: int, most_bytes: int) -> dict:
    """Copies regular files, with their times, until either limit is reached. Returns what it has found."""
    import glob

    sources = [path for pattern in CORPUS_SOURCES for path in sorted(glob.glob(pattern))]
    files = size = 0
    seen: set[tuple[int, int]] = set()
    for source in sources:
        for path, status in _regular_files(source):
            identity = (status.st_dev, status.st_ino)
            if identity in seen or status.st_size > LARGEST_CORPUS_FILE or not os.access(path, os.R_OK):
                continue
            if files >= most_files or size + status.st_size > most_bytes:
                return {"files": files, "bytes": size}
            seen.add(identity)
            target = os.path.join(folder, "tree", path.lstrip("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(path, target)
            files += 1
            size += status.st_size
    return {"files": files, "bytes": size}


def _regular_files(root: str):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                # The machine goes on living while it is copied.
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, status


def write_small_files(folder: str, files: int, seed: int) -> dict:
    """`files` files of some 10 to 200 bytes, no two alike, a hundred to a folder."""
    random = Random(seed)
    text = ("the quick brown fox jumps over the lazy dog and runs " * 5).encode("ascii")
    for first in range(0, files, SMALL_FILES_PER_FOLDER):
        number = first // SMALL_FILES_PER_FOLDER
        place = os.path.join(folder, "tree", f"{number // 1000:03d}", f"{number % 1000:03d}")
        os.makedirs(place)
        for index in range(min(SMALL_FILES_PER_FOLDER, files - first)):
            file = os.open(f"{place}/file-{index:03d}.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            os.write(file, b"%d %s\n" % (first + index, text[: random.randrange(190)]))
            os.close(file)
    return {"files": files}
