"""Makes one data set: a process of its own, so that its memory is not counted as that of a measured one.

generate.py pair|history|corpus|tree FOLDER --entries N [--snapshots N] [--bytes N] [--seed N]

FOLDER appears when it is complete, with `manifest.json`: what is in it, and what an answer about it has to be.
"""

import argparse
import json
import os
import shutil

import snapshots
import trees


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["pair", "history", "corpus", "tree"])
    parser.add_argument("folder")
    parser.add_argument("--entries", type=int, required=True)
    parser.add_argument("--snapshots", type=int, default=100)
    parser.add_argument("--bytes", type=int, default=870_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    part = arguments.folder + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    match arguments.kind:
        case "pair":
            manifest = snapshots.write_pair(part, arguments.entries, arguments.seed)
        case "history":
            manifest = snapshots.write_history(part, arguments.entries, arguments.snapshots, arguments.seed)
        case "corpus":
            manifest = trees.copy_corpus(part, arguments.entries, arguments.bytes)
        case _:
            manifest = trees.write_small_files(part, arguments.entries, arguments.seed)
    with open(os.path.join(part, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
    os.rename(part, arguments.folder)


if __name__ == "__main__":
    main()
