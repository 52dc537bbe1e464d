"""The rows about trees of files: make, restore, check."""

import os
import shutil

import peers
from bench import Bench
from files import remove, remove_catalog
from measure import Contender, Samples, output, quietly
from row import Goal, row

RIVALS = ("restic", "borg")


def with_snapshooter(bench: Bench, contenders: list[Contender], contender) -> list[Contender]:
    """Adds snapshooter, which takes minutes, once; not in a quick run."""
    if bench.measures_snapshooter:
        slow = contender("snapshooter")
        slow.most_runs = 1
        contenders.append(slow)
    return contenders


@row("make-first", "first make of corpus M", Goal(0.55, RIVALS), Goal(1.2, ("limit",)))
def make_first(bench: Bench) -> Samples:
    def first(peer: str) -> Contender:
        return peers.first_make(bench, peer, bench.place(f"first-{peer}"))

    names = bench.place("corpus.list")
    with open(names, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(output(["find", bench.corpus, "-type", "f"]))
    heap = bench.place("first-limit")
    limit = Contender("limit", [bench.limit, "store", heap], lambda: remove(heap), stdin=names)
    contenders = [first("snapcat"), *map(first, RIVALS), limit]
    samples = bench.race(with_snapshooter(bench, contenders, first))
    for contender in contenders:
        place = bench.place(f"first-{contender.name}")
        samples[contender.name]["size"] = [float(size_of(place))]
        remove(place, place + "-cache")
    bench.note("'limit' reads, md5s, compresses (ISA-L level 1) and writes the same files on two threads, no more")
    return samples


@row("make-unchanged", "make of corpus M, nothing changed", Goal(0.10, ("restic",)))
def make_unchanged(bench: Bench) -> Samples:
    def again(peer: str) -> Contender:
        return peers.make(bench, peer, bench.filled(peer, "again"))

    listing = Contender("find -printf", listing_command(bench.corpus))
    return bench.race(with_snapshooter(bench, [again("snapcat"), *map(again, RIVALS), listing], again))


@row("make-unchanged-tree", "make of tree H, nothing changed", Goal(1.5, ("find -printf",)),
     Goal(120e6, quantity="peak"))
def make_unchanged_tree(bench: Bench) -> Samples:
    tree = bench.data.tree()
    repository = first_of_tree(bench)
    snap, catalog = bench.place("tree-snap"), bench.place("tree.sqlite")
    shutil.copytree(os.path.join(repository, "snap"), snap)
    roots = ["--snap-root", snap, "--heap-root", os.path.join(repository, "heap"), "--catalog", catalog]
    command = [bench.snapcat, "make", tree.file("tree"), "-q", *roots]
    # The catalog of this program, and the caches of the machine.
    quietly(command)
    listing = Contender("find -printf", listing_command(tree.file("tree")))
    samples = bench.race([Contender("snapcat", command), listing])
    remove(snap)
    remove_catalog(catalog)
    bench.note(f"Tree H: {tree.manifest['files']:,} files, on the disk of the data folder")
    return samples


def first_of_tree(bench: Bench) -> str:
    """The repository of tree H, kept with it: its first make takes minutes."""
    tree = bench.data.tree()
    repository = tree.file("repository")
    if not os.path.exists(repository):
        part = repository + ".part"
        remove(part)
        quietly([bench.snapcat, "make", tree.file("tree"), "-q", "--repo", part])
        remove_catalog(os.path.join(part, "catalog.sqlite"))
        os.rename(part, repository)
    return repository


def listing_command(tree: str) -> list[str]:
    return ["find", tree, "-printf", r"%p\t%s\t%T@\t%C@\t%i\n"]


@row("restore", "restore of corpus M to an empty folder", Goal(0.35, RIVALS), Goal(2.0, ("cp -a",)))
def restore(bench: Bench) -> Samples:
    def back(peer: str) -> Contender:
        return peers.restore(bench, peer, bench.filled(peer))

    copy = peers.restore(bench, "cp -a", bench.corpus)
    samples = bench.race(with_snapshooter(bench, [back("snapcat"), *map(back, RIVALS), copy], back))
    remove(bench.place("restored"))
    return samples


@row("check-read-data", "check --read-data of corpus M", Goal(1.3, ("limit",)), needs=("check", "--read-data"))
def check_read_data(bench: Bench) -> Samples:
    repository = bench.filled("snapcat")
    objects = bench.place("objects.list")
    with open(objects, "w", encoding="utf-8") as file:
        file.write(output(["find", os.path.join(repository, "heap"), "-name", "*.gz"]))
    return bench.race([
        Contender("snapcat", [bench.snapcat, "check", "--read-data", "--repo", repository, "-q"]),
        Contender("limit", [bench.limit, "verify"], stdin=objects)])


@row("find-corpus", "find a file by its name in two snapshots of corpus M", Goal(0.05), needs=("find",))
def find_corpus(bench: Bench) -> Samples:
    name = next(names[0] for _, _, names in os.walk(bench.corpus) if names)
    restic = bench.filled("restic")
    return bench.race([
        Contender("snapcat", [bench.snapcat, "find", name, "--repo", bench.filled("snapcat")]),
        Contender("restic", ["restic", "-q", "-r", restic, "find", name], environment=peers.environment(restic))])


@row("version", "snapcat --version", Goal(0.020))
def version(bench: Bench) -> Samples:
    return bench.race([
        Contender("snapcat", [bench.snapcat, "--version"]), Contender("restic", ["restic", "version"])],
        runs_factor=5)


def size_of(place: str) -> int:
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(place) for name in names)
