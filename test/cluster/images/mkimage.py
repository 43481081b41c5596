#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an image of one layer, or adds one to a base, and pushes it over plain HTTP. Standard library only.

mkimage.py 127.0.0.1:5000/app:1 --base 127.0.0.1:5000/busybox:1 --add ./app:/app --cmd '["/app"]'
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile
import urllib.error
import urllib.request

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main() -> None:
    asked = arguments()
    target = Repository(asked.image)
    layers, diffs, config = take_base(Repository(asked.base), target) if asked.base else ([], [], {})
    tar = open(asked.tar, "rb").read() if asked.tar else layer(asked.add) if asked.add else None
    if tar is not None:
        packed = gzip.compress(tar, 1, mtime=0)
        layers.append({"mediaType": LAYER, "size": len(packed), "digest": target.put(packed)})
        diffs.append(digest(tar))
    configure(config, asked)
    text = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diffs},
            "history": [{"created_by": "mkimage"}] * len(diffs),
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(text), "digest": target.put(text)},
        "layers": layers,
    }
    body = json.dumps(manifest).encode()
    call("PUT", f"{target.url}/manifests/{target.tag}", body, {"Content-Type": MANIFEST})
    print(asked.image, digest(body), sum(one["size"] for one in layers))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", help="REGISTRY/NAME:TAG")
    parser.add_argument("--base", help="REGISTRY/NAME:TAG of the image below")
    parser.add_argument("--tar", help="the layer")
    parser.add_argument("--add", action="append", default=[], metavar="FILE:PATH[:MODE]")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user")
    parser.add_argument("--workdir")
    parser.add_argument("--entrypoint", type=json.loads, metavar="JSON")
    parser.add_argument("--cmd", type=json.loads, metavar="JSON")
    return parser.parse_args()


class Repository:
    """Where an image's parts are in its registry."""

    def __init__(self, image: str):
        registry, rest = image.split("/", 1)
        self.name, self.tag = rest.rsplit(":", 1)
        self.url = f"http://{registry}/v2/{self.name}"

    def has(self, blob: str) -> bool:
        try:
            call("HEAD", f"{self.url}/blobs/{blob}")
        except urllib.error.HTTPError:
            return False
        return True

    def put(self, data: bytes) -> str:
        blob = digest(data)
        if not self.has(blob):
            place = call("POST", f"{self.url}/blobs/uploads/", b"").headers["Location"]
            place += ("&" if "?" in place else "?") + "digest=" + blob
            call("PUT", place, data, {"Content-Type": "application/octet-stream"})
        return blob


def take_base(base: Repository, target: Repository) -> tuple[list, list, dict]:
    manifest = json.load(call("GET", f"{base.url}/manifests/{base.tag}", headers={"Accept": MANIFEST}))
    below = json.load(call("GET", f"{base.url}/blobs/{manifest['config']['digest']}"))
    for one in manifest["layers"]:
        if not target.has(one["digest"]):
            call("POST", f"{target.url}/blobs/uploads/?mount={one['digest']}&from={base.name}", b"")
    return manifest["layers"], below["rootfs"]["diff_ids"], below["config"]


def layer(added: list[str]) -> bytes:
    """A tar file that is the same each time: of nobody, of no time."""
    out = io.BytesIO()
    made = set()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for one in added:
            source, path, *mode = one.split(":")
            path = path.lstrip("/")
            if not path:  # a whole root folder
                for name in sorted(os.listdir(source)):
                    tar.add(os.path.join(source, name), name, filter=anonymous)
                continue
            folders = path.split("/")[:-1]
            for depth in range(1, len(folders) + 1):
                folder = tarfile.TarInfo("/".join(folders[:depth]))
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                if folder.name not in made:
                    tar.addfile(folder)
                made.add(folder.name)
            tar.add(source, path, filter=with_mode(int(mode[0], 8)) if mode else anonymous)
    return out.getvalue()


def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def with_mode(mode: int):
    def change(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        if entry.isfile():
            entry.mode = mode
        return anonymous(entry)

    return change


def configure(config: dict, asked: argparse.Namespace) -> None:
    variables = {one.split("=", 1)[0]: one for one in (config.get("Env") or [PATH]) + asked.env}
    config["Env"] = list(variables.values())
    for name, value in (
        ("User", asked.user),
        ("WorkingDir", asked.workdir),
        ("Entrypoint", asked.entrypoint),
        ("Cmd", asked.cmd),
    ):
        if value is not None:
            config[name] = value


def call(method: str, url: str, data: bytes | None = None, headers: dict | None = None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    # The registry is this machine's: no proxy is to be asked for it.
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


main()
