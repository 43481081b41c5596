# SPDX-License-Identifier: Apache-2.0
"""Our programs as an image has them, and the Debian packages that they need there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from catalogue import Image
from commands import Failed, output, run

# Under /usr/local, where what is no package goes. Programs look for ../share/nuclio/runtimes beside themselves.
PREFIX = "usr/local"
RUNTIMES = "share/nuclio/runtimes"
# The processor for images of functions, with its own loader and libraries; stripped already.
FOR_IMAGES = "share/nuclio/image"
# The interpreter of our Python base. Others compile for themselves what they import.
PYTHON = "python3.11"
BUILD_STAMPS = ("compiled", "sdk.installed")


def ninja_targets(images: list[Image]) -> list[str]:
    targets = {"nuclio_image"} | {program for image in images for program in image.programs}
    if any(image.runtimes for image in images):
        targets |= {"runtime_cpp", "runtime_python", "nuclio_python_native"}
    if any(image.builds for image in images):
        targets.add("processor_for_images")
    return sorted(targets)


def is_elf(file: Path) -> bool:
    with open(file, "rb") as opened:
        return opened.read(4) == b"\x7fELF"


def stage(image: Image, bin_folder: Path, to: Path) -> list[Path]:
    """Copies what the image has of ours below `to`, as it is in the image below /. Gives the compiled files."""
    shutil.rmtree(to, ignore_errors=True)
    for program in image.programs:
        target = to / PREFIX / "bin" / program
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(bin_folder / program, target)
    if image.runtimes:
        source = bin_folder.parent / RUNTIMES
        target = to / PREFIX / RUNTIMES
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", *BUILD_STAMPS), symlinks=True)
        compile_python(target, to)
    compiled = [file for file in sorted(to.rglob("*")) if file.is_file() and not file.is_symlink() and is_elf(file)]
    if image.builds:
        shutil.copytree(bin_folder.parent / FOR_IMAGES, to / PREFIX / FOR_IMAGES)
    for file in compiled:
        # Functions are linked with what the dynamic table says, which stays.
        output(["strip", "--strip-unneeded", file])
    return compiled


def compile_python(folder: Path, root: Path) -> None:
    """A container may not write where its code is, and starts twice as fast when it need not compile.

    Without times within, since the image's files have none; in a given order of hashes, since sets are written in it.
    """
    command = [PYTHON, "-s", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", root, "-p", "/"]
    run([*command, folder / "python"], os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"})


def library_packages(compiled: list[Path]) -> set[str]:
    """The packages of this machine that the shared libraries of our programs come from."""
    libraries = set()
    for file in compiled:
        for line in output(["ldd", file]).splitlines():
            if "not found" in line:
                raise Failed(f"{file.name} needs a library that is not here: {line.strip()}")
            libraries |= set(re.findall(r"(?:=> |^\s+)(/\S+)", line))
    return packages_of(libraries)


def packages_of(libraries: set[str]) -> set[str]:
    # dpkg knows a file by the path in its package, which has /usr or not, whatever the directories are links to. It
    # is asked once, since it reads all its lists each time, and complains of the paths that it does not know.
    paths = {library: {os.path.realpath(library), library} for library in libraries}
    for known in paths.values():
        known |= {path.removeprefix("/usr") for path in known} | {f"/usr{path}" for path in known}
    asked = sorted(path for known in paths.values() for path in known)
    done = subprocess.run(["dpkg", "-S", *asked], capture_output=True, text=True, check=False)
    owners = dict(reversed(line.split(": ", 1)) for line in done.stdout.splitlines() if ": " in line)
    packages = set()
    for library, known in paths.items():
        owner = next((owners[path] for path in sorted(known) if path in owners), None)
        if not owner:
            raise Failed(f"{library} is of no Debian package, so an image cannot have it; is it one of your own?")
        packages.add(owner.split(",")[0].split(":")[0])
    return packages
