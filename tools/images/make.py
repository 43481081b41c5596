# SPDX-License-Identifier: Apache-2.0
"""Makes the images of catalogue.py and pushes them; `./dev images` runs it.

Each image is a root file system of Debian packages and a layer of our programs. It lands as an OCI layout in
build/images/<name>, what is in it as build/images/<name>.spdx.json.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import catalogue
import programs
import rootfs
import sbom
from catalogue import Image
from commands import Failed, output, run, say

ROOT = Path(__file__).resolve().parents[2]


def chosen(text: str) -> list[Image]:
    by_name = {image.name: image for image in catalogue.IMAGES}
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in by_name]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f'there is no image "{",".join(unknown)}"; there are {", ".join(by_name)}')
    return [image for image in catalogue.IMAGES if image.name in names]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev images", allow_abbrev=False)
    parser.add_argument("registry", nargs="?", metavar="REGISTRY", help="127.0.0.1:5000, registry.local/team")
    parser.add_argument("--only", type=chosen, default=list(catalogue.IMAGES), metavar="NAME,...")
    parser.add_argument("--plain-http", action="store_true", help="the registry has no TLS")
    parser.add_argument("--fresh", action="store_true", help="install the Debian packages anew")
    parser.add_argument("--out", type=Path, default=ROOT / "build/images", help=argparse.SUPPRESS)
    # Programs that are built already.
    parser.add_argument("--bin", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain_http and not options.registry:
        parser.error("--plain-http says how to reach a registry, and none was named")
    return options


def source_date_epoch() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH") or "0"
    if not re.fullmatch(r"\d{1,11}", text):
        raise Failed(f'SOURCE_DATE_EPOCH must be seconds since 1970, is "{text}"')
    return int(text)


def project_version() -> str:
    return re.search(r"project\(nuclio VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


def check_release(images: list[Image]) -> None:
    said = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    found = re.search(r"^VERSION_CODENAME=\"?([\w-]+)", said, re.MULTILINE)
    release = found[1] if found else "no Debian"
    if release != catalogue.SUITE and any(image.programs for image in images):
        raise Failed(
            f"images of programs have the libraries of Debian {catalogue.SUITE}, with which the programs must be "
            f"linked, and this machine is {release}; the bases can be made here: --only python,cpp"
        )


def commit() -> str:
    """With "-dirty" when something was changed since; "unknown" outside a git checkout."""
    try:
        return output(["git", "-C", ROOT, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]).strip()
    except Failed:
        return "unknown"


class Making:
    """One run: where things are, and what is the same for each image."""

    def __init__(self, options: argparse.Namespace):
        self.out = options.out.resolve()
        self.bin = options.bin or ROOT / "build/release/bin"
        self.registry = options.registry
        self.plain_http = ["--plain-http"] if options.plain_http else []
        self.fresh = options.fresh
        self.epoch = source_date_epoch()
        self.version = project_version()
        self.commit = commit()
        self.nuclio_image = self.bin / "nuclio_image"

    def reference(self, image: Image) -> str:
        return f"{self.registry}/nuclio/{image.name}"

    def make(self, image: Image) -> None:
        began = time.monotonic()
        say(f"\n== nuclio/{image.name}")
        staged = self.out / "programs" / image.name
        compiled = programs.stage(image, self.bin, staged)
        packages = {*catalogue.EVERYWHERE, *image.packages, *programs.library_packages(compiled)}
        base = rootfs.make(self.out, list(packages), self.epoch, self.nuclio_image, self.fresh)
        digest = self.write_layout(image, base, staged)
        version = base.version(image.version_of) if image.version_of else self.version
        sbom.write(self.out / f"{image.name}.spdx.json", image, digest, version, base, staged, self.epoch)
        blobs = sum(file.stat().st_size for file in (self.out / image.name / "blobs/sha256").iterdir())
        seconds = time.monotonic() - began
        say(f"   {digest}, {blobs / 1e6:.1f} MB, {len(base.packages)} packages, in {seconds:.0f} s")
        if self.registry:
            layout, document = self.out / image.name, self.out / f"{image.name}.spdx.json"
            run([self.nuclio_image, "push", *self.plain_http, layout, document, self.reference(image)])

    def write_layout(self, image: Image, base: rootfs.Rootfs, staged: Path) -> str:
        layout = self.out / image.name
        recipe = self.out / f"{image.name}.recipe.json"
        recipe.write_text(json.dumps(self.recipe(image, base, staged), indent=1))
        # What an earlier run left there is not of this image.
        shutil.rmtree(layout, ignore_errors=True)
        digest = output([self.nuclio_image, "make", recipe, layout]).strip()
        recipe.unlink()
        return digest

    def recipe(self, image: Image, base: rootfs.Rootfs, staged: Path) -> dict:
        is_base = bool(image.version_of)
        version = base.version(image.version_of) if is_base else self.version
        labels = {"title": image.title, "description": image.description, "version": version}
        if not is_base:
            # A base has nothing of ours in it, and stays what it is from one commit to the next.
            labels |= {"revision": self.commit, "licenses": "Apache-2.0"}
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": catalogue.HOME,
            "LANG": "C.UTF-8",
        }
        if image.version_variable:
            environment[image.version_variable] = version
        if image.keeps_state:
            environment["NUCLIO_HOME"] = f"{catalogue.HOME}/.nuclio"
        return {
            "base": str(base.layout),
            "parts": [
                {"from": str(each), "to": f"usr/local/{each.name}"} for each in sorted(staged.glob("usr/local/*"))
            ],
            "entrypoint": [f"/{programs.PREFIX}/bin/{image.programs[0]}"] if image.programs else [],
            "environment": environment,
            "labels": {f"org.opencontainers.image.{key}": value for key, value in labels.items()},
            "ports": list(image.ports),
            "user": catalogue.USER,
            "workingDirectory": catalogue.HOME,
            "created": self.epoch,
            "tags": [image.tag] if is_base else [self.version, "latest"],
        }


def main() -> int:
    options = arguments()
    try:
        check_release(options.only)
        making = Making(options)
        if not options.bin:
            run(["ninja", "-C", ROOT / "build/release", "nuclio_image"])
        if making.registry:
            # Making them takes minutes, so whether they can be pushed is asked first.
            for image in options.only:
                run([making.nuclio_image, "check", *making.plain_http, making.reference(image)])
        if not options.bin:
            run(["ninja", "-C", ROOT / "build/release", *programs.ninja_targets(options.only)])
        making.out.mkdir(parents=True, exist_ok=True)
        if options.fresh:
            # Else it would grow with each version of a package.
            shutil.rmtree(making.out / "debian", ignore_errors=True)
        for image in options.only:
            making.make(image)
    except Failed as failed:
        print(f"./dev images: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
