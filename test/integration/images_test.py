# SPDX-License-Identifier: Apache-2.0
"""Our images, made from Debian's packages, in a real registry and in the hands of those who pull them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile

import building
import making
import pytest
import running
from making import MADE, MINUTES, make, run, start_make

TAGS = {"python": "3.11", "cpp": "12"} | dict.fromkeys(("processor", "controller", "dashboard", "nuctl"), "latest")
BASES = ("python", "cpp")
USER = 65532

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(20 * MINUTES),
    pytest.mark.skipif(os.geteuid() != 0, reason="containerd, buildah and chroot need root"),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The address of an empty registry."""
    registry = building.Registry(tmp_path_factory.mktemp("registry"))
    yield registry.host
    registry.stop()


@pytest.fixture(scope="module")
def pushed(images, registry, tmp_path_factory):
    """A folder of this file's own with the images, which are also in the registry."""
    own = tmp_path_factory.mktemp("own") / "images"
    # What was installed is kept there, so nothing is installed again. Nothing of it is ever changed in place.
    shutil.copytree(images / "rootfs", own / "rootfs", copy_function=os.link)
    make(own, registry, "--plain-http", "--only", ",".join(MADE))
    return own


@pytest.fixture(scope="module")
def roots(images, tmp_path_factory):
    """Root file systems of the images, as a container would have them."""
    above = tmp_path_factory.mktemp("roots")
    for name in MADE:
        root = above / name
        root.mkdir()
        for layer in manifest(images, name)["layers"]:
            run("tar", "-xzf", blob(images, name, layer["digest"]), "-C", root, "--same-owner", "-p")
    return above


def blob(images, name, digest):
    return images / name / "blobs/sha256" / digest.removeprefix("sha256:")


def digest_of(images, name):
    """What the layout's index says; each tag of an image is the same."""
    (digest,) = {entry["digest"] for entry in json.loads((images / name / "index.json").read_text())["manifests"]}
    return digest


def manifest(images, name):
    return json.loads(blob(images, name, digest_of(images, name)).read_text())


def config(images, name):
    return json.loads(blob(images, name, manifest(images, name)["config"]["digest"]).read_text())


def size_of(images, name):
    """Bytes of its compressed layers."""
    return sum(layer["size"] for layer in manifest(images, name)["layers"])


def as_user(root, *command):
    """Runs a program within a root file system as the image's user."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/nuclio", "LANG": "C.UTF-8"}
    return run("/usr/sbin/chroot", f"--userspec={USER}:{USER}", root, *command, env=environment)


def with_devices(root, *command):
    """The same with the machine's /dev, since every container has one, and without a registry of packages."""
    (root / "dev").mkdir(exist_ok=True)
    enter = f'mount --bind /dev "$0/dev" && exec /usr/sbin/chroot --userspec={USER}:{USER} "$0" "$@"'
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/nuclio", "PIP_NO_INDEX": "1"}
    return run("/usr/bin/unshare", "--mount", "/bin/sh", "-c", enter, root, *command, env=environment)


def test_skopeo_pulls_what_was_pushed(pushed, registry, tmp_path):
    for name in MADE:
        source = f"docker://{registry}/nuclio/{name}:{TAGS[name]}"
        target = tmp_path / name
        run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", source, f"oci:{target}:pulled")
        raw = subprocess.check_output(["skopeo", "inspect", "--raw", f"oci:{target}:pulled"], timeout=MINUTES)
        assert "sha256:" + hashlib.sha256(raw).hexdigest() == digest_of(pushed, name)


def test_buildah_pulls_what_was_pushed(pushed, registry, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    storage = ["--root", tmp_path / "root", "--runroot", tmp_path / "run", "--storage-driver", "vfs"]
    for name in MADE:
        reference = f"{registry}/nuclio/{name}:{TAGS[name]}"
        run("buildah", *storage, "pull", "--quiet", "--tls-verify=false", "--signature-policy", policy, reference)
        seen = json.loads(run("buildah", *storage, "inspect", "--type", "image", reference))
        assert seen["FromImageDigest"] == digest_of(pushed, name)
        assert seen["OCIv1"]["config"]["User"] == f"{USER}:{USER}"


def test_containerd_pulls_and_unpacks_what_was_pushed(pushed, registry):
    with making.containerd() as ctr:
        for name in MADE:
            reference = f"{registry}/nuclio/{name}:{TAGS[name]}"
            run(*ctr, "images", "pull", "--plain-http", "--snapshotter", "native", reference)
        listed = run(*ctr, "images", "check", "--snapshotter", "native")
    for name in MADE:
        (line,) = [line for line in listed.splitlines() if f"/nuclio/{name}:" in line]
        assert digest_of(pushed, name) in line
        assert re.search(r" complete .* true\s*$", line), f"not unpacked: {line}"


def test_a_second_run_sends_nothing_and_gives_the_same_digests(pushed, registry):
    before = {name: digest_of(pushed, name) for name in MADE}
    said = make(pushed, registry, "--plain-http", "--only", ",".join(MADE))
    assert {name: digest_of(pushed, name) for name in MADE} == before
    sent = re.findall(r", (\d+) bytes sent$", said, re.MULTILINE)
    # A line for each tag and each document; what is no base has two tags.
    assert len(sent) == 3 * len(MADE) - len(BASES)
    assert set(sent) == {"0"}
    assert "extracting archives" not in said


def test_packages_that_are_installed_anew_give_the_same_digest(images, tmp_path):
    # Nothing of the first run is there but what apt has downloaded.
    shutil.copytree(images / "debian", tmp_path / "debian")
    said = make(tmp_path, "--only", "python")
    assert "extracting archives" in said
    assert digest_of(tmp_path, "python") == digest_of(images, "python")
    assert (tmp_path / "python.spdx.json").read_text() == (images / "python.spdx.json").read_text()


def test_the_processor_runs_as_a_user_without_rights(images, roots):
    assert config(images, "processor")["config"]["Entrypoint"] == ["/usr/local/bin/processor"]
    assert as_user(roots / "processor", "/usr/local/bin/processor", "--version").startswith("nuclio processor ")
    # Without a /proc, which a container has, the program does not know where it is.
    where = ["--runtimes", "/usr/local/share/nuclio/runtimes"]
    runtimes = as_user(roots / "processor", "/usr/local/bin/processor", *where, "--list-runtimes")
    assert {"cpp", "python"} <= set(re.findall(r"^(\w+)", runtimes, re.MULTILINE))


def test_the_controller_runs_as_a_user_without_rights(images, roots):
    assert config(images, "controller")["config"]["Entrypoint"] == ["/usr/local/bin/controller"]
    assert as_user(roots / "controller", "/usr/local/bin/controller", "--version").startswith("controller ")


def test_nuctl_runs_as_a_user_without_rights_and_calls_whom_it_is_told(images, roots):
    """As in the pod of a CronJob, which has no home that could be written."""
    assert config(images, "nuctl")["config"]["Entrypoint"] == ["/usr/local/bin/nuctl"]
    assert size_of(images, "nuctl") < 60 << 20
    (roots / "nuctl/proc").mkdir(exist_ok=True)
    enter = f'mount --bind /proc "$0/proc" && exec /usr/sbin/chroot --userspec={USER}:{USER} "$0" nuctl "$@"'
    command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", enter, roots / "nuctl"]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    assert run(*command, "version", env=environment).startswith("Client version:")
    called = [*command, "call", "http://127.0.0.1:1/", "--attempts", "1"]
    done = subprocess.run(called, capture_output=True, text=True, timeout=MINUTES, check=False, env=environment)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "connection refused" in done.stderr


def test_the_dashboard_has_what_images_of_functions_are_built_with(images, roots):
    root = roots / "dashboard"
    assert config(images, "dashboard")["config"]["Entrypoint"] == ["/usr/local/bin/dashboard"]
    assert "NUCLIO_HOME=/home/nuclio/.nuclio" in config(images, "dashboard")["config"]["Env"]
    assert as_user(root, "/usr/local/bin/dashboard", "--version").startswith("dashboard ")
    assert with_devices(root, "git", "--version").startswith("git version")
    assert "STMicroelectronics" in with_devices(root, "proot", "--version")
    parts = root / "usr/local/share/nuclio/image"
    # With the loader of its own it runs wherever it is.
    for name in ("lib/ld.so", "lib/libc.so.6", "processor"):
        assert (parts / name).is_file(), name
    assert (parts / "processor").read_bytes() == (running.BIN.parent / "share/nuclio/image/processor").read_bytes()


def test_the_dashboard_installs_packages_for_an_images_python(roots):
    """As for a function's requirements.txt; the wheel lies beside the code."""
    root = roots / "dashboard"
    work = root / "tmp/work"
    for folder in ("code", "out", "cache"):
        (work / folder).mkdir(parents=True)
    wheel = work / "code/greetings-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("greetings.py", "HELLO = 'hello'\n")
        archive.writestr("greetings-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
        archive.writestr(
            "greetings-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("greetings-1.0.dist-info/RECORD", "")
    (work / "code/requirements.txt").write_text("./greetings-1.0-py3-none-any.whl\n")
    (work / "code/main.py").write_text(
        "import greetings\n\n\ndef handler(context, event):\n    return greetings.HELLO\n"
    )
    run("chown", "-R", f"{USER}:{USER}", work)
    arguments = [word for name in ("code", "out", "cache") for word in (f"--{name}", f"/tmp/work/{name}")]
    prepare = ["/usr/local/share/nuclio/runtimes/python/prepare", *arguments, "--handler", "main:handler"]
    with_devices(root, *prepare, "--version", "3.11", "--commands", "", "--target", "image")
    packages = (work / "out/packages").readlink().relative_to("/")
    assert (root / packages / "greetings.py").exists()


def test_the_python_base_has_what_functions_import(images, roots):
    version = as_user(roots / "python", "python3", "-c", "import platform; print(platform.python_version())").strip()
    assert version.startswith("3.11.")
    assert f"PYTHON_VERSION={version}" in config(images, "python")["config"]["Env"]
    code = "import ssl, json, ctypes, sqlite3; print(ssl.create_default_context().cert_store_stats()['x509_ca'] > 50)"
    assert as_user(roots / "python", "python3", "-c", code) == "True\n"


def test_python_need_not_compile_its_library(roots):
    """Its compiled form was written with the files' times of the day, which the layer does not keep."""
    code = "import sys, json, asyncio; print([m.__name__ for m in sys.modules.values() if hasattr(m, '__cached__')])"
    command = ["/usr/sbin/chroot", f"--userspec={USER}:{USER}", roots / "python", "/usr/bin/python3", "-v", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MINUTES, check=True)
    assert "asyncio.events" in done.stdout
    assert re.search(r"code object from '.*\.pyc'", done.stderr)
    assert not re.search(r"code object from .*\.py\b(?!c)", done.stderr)


def test_the_cpp_base_runs_what_this_machine_compiles(roots, tmp_path):
    source = tmp_path / "hello.cc"
    source.write_text('#include <iostream>\nint main() { std::cout << "hello" << std::endl; }\n')
    run("g++", source, "-o", roots / "cpp/tmp/hello")
    assert as_user(roots / "cpp", "/tmp/hello") == "hello\n"


def test_nothing_in_an_image_gives_rights_or_remembers_the_machine(images, roots):
    for name in MADE:
        settings = config(images, name)
        assert settings["created"] == "1970-01-01T00:00:00Z"
        assert settings["config"]["User"] == f"{USER}:{USER}"
        root = roots / name
        passwd = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
        assert ["nuclio", "x", str(USER), str(USER), "Nuclio", "/home/nuclio", "/usr/sbin/nologin"] in passwd
        assert (root / "home/nuclio").stat().st_uid == USER
        for layer in manifest(images, name)["layers"]:
            with tarfile.open(blob(images, name, layer["digest"])) as archive:
                for member in archive:
                    assert not (member.isfile() and member.mode & 0o6000), f"{member.name} is set-user-id"
                    assert member.mtime == 0, f"{member.name} has a time"
                    assert not member.isdev()
        for gone in ("etc/machine-id", "etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "var/lib/apt"):
            assert not os.path.lexists(root / gone), gone
        assert list((root / "var/log").iterdir()) == []


EXPRESSION = re.compile(r"NOASSERTION|[(]*[A-Za-z0-9.-]+[)]*( (AND|OR) [(]*[A-Za-z0-9.-]+[)]*)*")


def test_the_document_names_each_package_with_its_version(images, roots):
    for name in MADE:
        document = json.loads((images / f"{name}.spdx.json").read_text())
        query = ["dpkg-query", f"--admindir={roots / name}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\\n"]
        installed = dict(line.split() for line in run(*query).splitlines())
        purl = {each["name"]: each["externalRefs"][0]["referenceLocator"] for each in document["packages"]}
        of_debian = {
            each["name"]: each["versionInfo"]
            for each in document["packages"]
            if purl[each["name"]].startswith("pkg:deb/debian/")
        }
        assert of_debian == installed
        assert purl["libc6"].startswith(f"pkg:deb/debian/libc6@{installed['libc6'].replace('+', '%2B')}?arch=")

    packages = json.loads((images / "dashboard.spdx.json").read_text())["packages"]
    ours = {each["name"]: each for each in packages}
    program = roots / "processor/usr/local/bin/processor"
    assert ours["nuclio-processor"]["checksums"] == [
        {"algorithm": "SHA256", "checksumValue": hashlib.sha256(program.read_bytes()).hexdigest()}
    ]
    assert ours["nuclio-sdk"]["externalRefs"][0]["referenceLocator"].startswith("pkg:pypi/nuclio-sdk@")


def test_the_document_is_one_that_spdx_allows(images):
    for name in MADE:
        document = json.loads((images / f"{name}.spdx.json").read_text())
        assert (document["spdxVersion"], document["dataLicense"]) == ("SPDX-2.3", "CC0-1.0")
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", document["documentNamespace"])
        assert document["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
        identifiers = [document["SPDXID"], *(each["SPDXID"] for each in document["packages"])]
        assert len(set(identifiers)) == len(identifiers)
        assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in identifiers)
        named = {each["licenseId"] for each in document["hasExtractedLicensingInfos"]}
        for package in document["packages"]:
            licence = package["licenseDeclared"]
            assert EXPRESSION.fullmatch(licence) and licence.count("(") == licence.count(")"), licence
            assert set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", licence)) <= named
        for relation in document["relationships"]:
            assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(identifiers)
        contained = [each for each in document["relationships"] if each["relationshipType"] == "CONTAINS"]
        assert len(contained) == len(document["packages"]) - 1


def test_the_registry_has_the_document_beside_the_image(pushed, registry):
    for name in MADE:
        digest = digest_of(pushed, name)
        accept = {"Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"}
        path = f"/v2/nuclio/{name}"
        # The tag under which OCI 1.1 looks where a registry has no API for it.
        index = running.request(registry, path=f"{path}/manifests/{digest.replace(':', '-')}", headers=accept)
        (entry,) = index.json["manifests"]
        assert entry["artifactType"] == "application/spdx+json"
        artifact = running.request(registry, path=f"{path}/manifests/{entry['digest']}", headers=accept).json
        assert artifact["subject"]["digest"] == digest
        content = running.request(registry, path=f"{path}/blobs/{artifact['layers'][0]['digest']}")
        assert content.body == (pushed / f"{name}.spdx.json").read_bytes()


@pytest.mark.parametrize("wrong", ["nobody", "plain"])
def test_a_registry_that_cannot_be_pushed_to_is_told_of_before_anything_is_made(wrong, registry, tmp_path):
    where, said = {
        "nobody": (["127.0.0.1:1", "--plain-http"], "the registry 127.0.0.1:1"),
        "plain": ([registry], "it seems to speak plain HTTP"),
    }[wrong]
    done = start_make(tmp_path / "out", *where, "--only", "cpp")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_name_of_no_image_is_answered_with_the_names_that_there_are(tmp_path):
    done = start_make(tmp_path, "--only", "pyhton")
    assert done.returncode == 2
    assert 'there is no image "pyhton"; there are python, cpp, processor, controller, dashboard, nuctl' in done.stderr
