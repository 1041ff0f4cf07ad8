"""LibTorch out of Python wheels; nothing of them is imported or run. scripts/setup.sh calls

    libtorch.py needs WHEEL [--cuda]           prints the requirements that LibTorch's libraries have beside themselves
    libtorch.py unpack FOLDER WHEEL... [--cuda]
    libtorch.py check FOLDER [--cuda]          exit status 1, and what is wrong, unless all of it is there and loads

Without --cuda only the CPU part counts, also of a build that has CUDA. Standard library, Python 3.9 or newer.
"""

import argparse
import csv
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

# What the CPU library of a CUDA build needs of CUDA: as extras of cuda-toolkit, or as packages.
CPU_EXTRAS = ("cudart", "cupti")
CPU_PACKAGES = ("nvidia-cuda-runtime", "nvidia-cuda-cupti")


def wanted(name, cuda):
    """Whether a file of a wheel is part of LibTorch: headers, libraries, and the records of where they come from."""
    parts = name.split("/")
    if name.endswith("/"):
        return False
    if parts[0].endswith(".dist-info") or name.startswith("torch/include/"):
        return True
    if ".so" not in parts[-1] or "python" in parts[-1]:
        return False
    if parts[:2] == ["torch", "lib"]:
        return cuda or not re.search("cuda|nvrtc|nvshmem", parts[-1])
    return parts[0] in ("nvidia", "torch.libs")


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


def needs(wheel, cuda):
    for line in re.findall(r"^Requires-Dist: (.*)$", metadata(wheel), re.MULTILINE):
        name = re.match(r"[\w.-]+", line).group()
        if name == "cuda-toolkit" and not cuda:
            extras = re.search(r"\[(.*?)\]", line).group(1).split(",")
            chosen = ",".join(extra for extra in extras if extra.strip() in CPU_EXTRAS)
            print(re.sub(r"\[.*?\]", f"[{chosen}]", line))
        elif name == "cuda-toolkit" or name.startswith(CPU_PACKAGES) or cuda and name.startswith("nvidia-"):
            print(line)


def unpack(folder, wheels, cuda):
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not wanted(name, cuda):
                    continue
                target = folder / name
                if folder.resolve() not in target.resolve().parents:
                    sys.exit(f"{wheel}: {name} would lie outside")
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)


def damaged(folder, cuda):
    """The first file that is missing or has another size than its wheel's RECORD says, or None."""
    records = sorted(folder.glob("*.dist-info/RECORD"))
    if not any(record.parent.name.startswith("torch-") for record in records):
        return "torch"
    for record in records:
        with open(record, newline="", encoding="utf-8") as rows:
            for name, _, size in csv.reader(rows):
                path = folder / name
                if wanted(name, cuda) and (not path.is_file() or size and path.stat().st_size != int(size)):
                    return name
    return None


def unresolved(library):
    """What the system's loader does not find for a library, or an empty string."""
    loader = subprocess.run(["ldd", library], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    bad = [line.strip() for line in loader.stdout.splitlines() if "not found" in line]
    return bad[0] if bad else loader.stdout.strip().splitlines()[-1] if loader.returncode else ""


def check(folder, cuda):
    name = damaged(folder, cuda)
    if name:
        sys.exit(f"{folder / name} is missing or incomplete")
    for library in ["libtorch_cpu.so"] + (["libtorch_cuda.so"] if cuda else []):
        path = folder / "torch/lib" / library
        if not path.exists():
            sys.exit(f"{path} is missing: a build without CUDA" if cuda else f"{path} is missing")
        problem = unresolved(path)
        if problem:
            sys.exit(f"{path} does not load: {problem}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("needs", "unpack", "check"))
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("wheels", nargs="*", type=pathlib.Path)
    parser.add_argument("--cuda", action="store_true")
    given = parser.parse_args()
    if given.command == "needs":
        needs(given.path, given.cuda)
    elif given.command == "unpack":
        try:
            unpack(given.path, given.wheels, given.cuda)
        except (OSError, zipfile.BadZipFile) as error:
            sys.exit(f"{given.path}: {error}")
    else:
        check(given.path, given.cuda)


main()
