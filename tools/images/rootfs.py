# SPDX-License-Identifier: Apache-2.0
"""Root file systems of Debian packages, made by mmdebstrap, each as a layout with one image of one layer."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import catalogue
import licences
from commands import Failed, output, say

TIDY = Path(__file__).with_name("tidy.sh")
MERGED_USR = Path("/usr/share/mmdebstrap/hooks/merged-usr")
# The licences stay, since whoever passes an image on has to pass them on.
LEFT_OUT = (
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/doc/*/*",
)
KEPT = ("/usr/share/doc/*/copyright",)
OPTIONS = (
    "--variant=essential",
    # Else Debian 12 installs perl, once, to merge what is merged here before the first package.
    f"--hook-dir={MERGED_USR}",
    # Containers get a /dev, and a layer must have no devices. tidy.sh removes what apt leaves. Packages that are there
    # already are not downloaded again.
    "--skip=output/dev,cleanup/apt,download/empty,essential/unlink",
    # What breaks off is thrown away, so nothing need wait for the disk.
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
    *(f"--dpkgopt=path-include={pattern}" for pattern in KEPT),
)
LINES_TO_SHOW = 30
ROOM = 2 << 30
KEPT_AT_MOST = 16


class Rootfs:
    """A root file system that has been made: `layout`, and what dpkg says is in it."""

    def __init__(self, folder: Path):
        self.layout = folder / "layout"
        self.packages = json.loads((folder / "packages.json").read_text())

    def version(self, package: str) -> str:
        """As its authors call it: 3.11.2 of 3.11.2-6+deb12u6."""
        full = next(each["version"] for each in self.packages if each["name"] == package)
        return full.split(":")[-1].rsplit("-", 1)[0]


def mirrors() -> list[str]:
    """This machine's apt sources as far as they are Debian's; none when apt knows of none."""
    answer = output(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(ORIGIN)|$(CODENAME)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
            "Created-By: Packages",
        ]
    )
    suites = {catalogue.SUITE, f"{catalogue.SUITE}-updates", f"{catalogue.SUITE}-security"}
    found = {}
    for line in answer.splitlines():
        origin, codename, source = line.split("|", 2)
        if origin == "Debian" and codename in suites:
            found[source] = codename
    return list(found) if catalogue.SUITE in found.values() else []


def quick_disk() -> str:
    """A disk in memory, where the thousands of small files are made and removed in a tenth of the time, if it has room
    and takes programs and devices, as a root file system needs; else where temporary files are."""
    try:
        memory = os.statvfs("/dev/shm")
    except OSError:
        return tempfile.gettempdir()
    is_large = memory.f_bavail * memory.f_frsize >= ROOM
    is_plain = not memory.f_flag & (os.ST_NOEXEC | os.ST_NODEV | os.ST_RDONLY)
    return "/dev/shm" if is_large and is_plain and os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()


def mmdebstrap(packages: list[str], tar: Path, kept: Path, epoch: int, log: Path) -> None:
    for folder in ("archives", "lists"):
        (kept / folder).mkdir(parents=True, exist_ok=True)
    # As root it mounts in this machine's mount namespace, and takes this machine's /dev into each root file system.
    # Where mounts are shared, as container runtimes have them, two at a time would find themselves within one another.
    apart = ["unshare", "--mount", "--propagation", "private"] if os.geteuid() == 0 else []
    command = [
        *apart,
        "mmdebstrap",
        *OPTIONS,
        f"--include={','.join(packages)}",
        '--setup-hook=mkdir -p "$1/var/cache/apt/archives" "$1/var/lib/apt/lists"',
        f"--setup-hook=sync-in {kept}/archives /var/cache/apt/archives",
        f"--setup-hook=sync-in {kept}/lists /var/lib/apt/lists",
        f"--customize-hook=sync-out /var/cache/apt/archives {kept}/archives",
        f"--customize-hook=sync-out /var/lib/apt/lists {kept}/lists",
        # As text: without root, this is run by a user who may not be able to read it here.
        f"--customize-hook={TIDY.read_text()}",
        catalogue.SUITE,
        str(tar),
        *mirrors(),
    ]
    environment = os.environ | {
        "SOURCE_DATE_EPOCH": str(epoch),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": quick_disk(),
        "PATH": f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin",
    }
    with open(log, "w") as kept_log:
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout:
                kept_log.write(line)
                if line.startswith("I: ") and line.rstrip().endswith("..."):
                    say(f"   {line[3:].strip()}")
    if process.returncode != 0:
        last = log.read_text(errors="replace").splitlines()[-LINES_TO_SHOW:]
        raise Failed("\n".join([*last, f"mmdebstrap exited with {process.returncode}; all that it said is in {log}"]))


def installed(tar: Path) -> list[dict]:
    """What dpkg says of the packages in a root file system, and their licences as Debian has them."""
    copyrights, links, status = {}, {}, ""
    with tarfile.open(tar) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            if name == "var/lib/dpkg/status":
                status = archive.extractfile(member).read().decode()
            elif name.startswith("usr/share/doc/") and member.issym():
                links[name] = member.linkname
            elif name.startswith("usr/share/doc/") and name.endswith("/copyright") and member.isfile():
                copyrights[name.split("/")[3]] = archive.extractfile(member).read().decode(errors="replace")
    packages = []
    for paragraph in status.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] not in " \t")
        name = fields["Package"]
        source, _, source_version = fields.get("Source", name).partition(" ")
        # /usr/share/doc/libgcc-s1 is a link to gcc-12-base.
        documented = Path(links.get(f"usr/share/doc/{name}", name)).name
        documented = Path(links.get(f"usr/share/doc/{name}/copyright", f"../{documented}/copyright")).parent.name
        packages.append(
            {
                "name": name,
                "version": fields["Version"],
                "architecture": fields["Architecture"],
                "source": source,
                "source_version": source_version.strip("()") or fields["Version"],
                "licence": licences.of(copyrights.get(documented, "")),
            }
        )
    return sorted(packages, key=lambda package: package["name"])


def make(out: Path, packages: list[str], epoch: int, nuclio_image: Path, fresh: bool) -> Rootfs:
    """The root file system with these packages, from an earlier run unless `fresh`."""
    packages = sorted({*packages, "usr-is-merged"})
    machine = output(["dpkg", "--print-architecture"]).strip()
    said = json.dumps([catalogue.SUITE, machine, packages, epoch, OPTIONS, TIDY.read_text()])
    folder = out / "rootfs" / hashlib.sha256(said.encode()).hexdigest()[:16]
    if folder.exists() and not fresh:
        folder.touch()
        return Rootfs(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder.parent) as temporary:
        work = Path(temporary)
        # mmdebstrap without root writes the tar as another user than we are.
        work.chmod(0o755)
        tar = work / "rootfs.tar"
        mmdebstrap(packages, tar, out / "debian", epoch, out / "mmdebstrap.log")
        say("   compressing")
        done = work / "done"
        done.mkdir()
        (done / "packages.json").write_text(json.dumps(installed(tar), indent=1))
        recipe = done / "recipe.json"
        recipe.write_text(json.dumps({"tars": [str(tar)], "created": epoch, "tags": ["rootfs"]}))
        output([nuclio_image, "make", recipe, done / "layout"])
        recipe.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        done.rename(folder)
    by_last_use = sorted(folder.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
    for forgotten in by_last_use[KEPT_AT_MOST:]:
        shutil.rmtree(forgotten, ignore_errors=True)
    return Rootfs(folder)
