"""Trains on a feature store several times larger than the memory that the process may have.

usage: larger.py BIN_FOLDER [PICTURES] [LIMIT_MB]

Where memory cgroups can be made (root on Linux, version 1 or 2), the process and the system's cache of its files get
no more than LIMIT_MB together. Elsewhere there is no limit, and what says something is the process's own (anonymous)
memory, which must not grow with the store.
"""

import json
import os
import subprocess
import sys

CGROUPS = [("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
           ("/sys/fs/cgroup", "memory.max", "memory.peak")]


class LimitedMemory:
    """A memory cgroup of our own, or nothing where there is none to be had."""

    def __init__(self, limit):
        self.folder = None
        for root, limit_file, self.peak_file in CGROUPS:
            if not os.path.exists(os.path.join(root, "cgroup.procs")):
                continue
            folder = os.path.join(root, f"ltad-larger-{os.getpid()}")
            try:
                os.mkdir(folder)
                with open(os.path.join(folder, limit_file), "w", encoding="ascii") as file:
                    file.write(str(limit))
                self.folder = folder
                return
            except OSError:
                if os.path.isdir(folder):
                    os.rmdir(folder)

    def enter(self):
        """In the child, before it becomes the program."""
        if self.folder:
            with open(os.path.join(self.folder, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write(str(os.getpid()))

    def peak(self):
        try:
            with open(os.path.join(self.folder, self.peak_file), encoding="ascii") as file:
                return int(file.read())
        except OSError:
            return 0

    def remove(self):
        if self.folder:
            os.rmdir(self.folder)


def train(binaries, pictures, memory):
    words = [os.path.join(binaries, "ltad_growth"), "train-larger", str(pictures)]
    result = subprocess.run(words, check=True, capture_output=True, text=True,
                            preexec_fn=memory.enter if memory else None)
    return json.loads(result.stdout)


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    pictures, limit = [int(a) for a in sys.argv[2:]] + [10_000, 512][len(sys.argv) - 2:]
    memory = LimitedMemory(limit * 2**20)
    try:
        found = train(sys.argv[1], pictures, memory)
        peak = memory.peak() if memory.folder else 0
    finally:
        memory.remove()
    free = train(sys.argv[1], pictures, None)
    print(f"feature store: {found['store_mib']:.0f} MiB, {pictures:,} pictures")
    if memory.folder:
        print(f"limit for the process and its files' cache: {limit} MiB; used at most: {peak / 2**20:.0f} MiB")
    else:
        print("no memory cgroup can be made here: the process was not limited")
    for name, key in (("after a tenth of the steps", "early_mib"), ("at the end", "end_mib")):
        print(f"the process's own memory {name}: {found[key]:.0f} MiB")
    print(f"a step: {1000 * found['seconds']:.1f} ms; without a limit: {1000 * free['seconds']:.1f} ms")


if __name__ == "__main__":
    main()
