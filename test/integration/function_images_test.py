# SPDX-License-Identifier: Apache-2.0
"""Images of functions on our bases: built by us, by docker and by buildah, pulled by others, run from their files."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import building
import making
import pytest
import running
from making import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(15 * making.MINUTES),
    pytest.mark.skipif(os.geteuid() != 0, reason="containerd and docker need root"),
]

HANDLER = """
import platform
import six


def handler(context, event):
    return f"{event.body.decode()} from {platform.python_version()} with six {six.__version__}"
"""


WHO = """
#include <fstream>
#include <nuclio/nuclio.h>

std::string handler(nuclio::Context&, const nuclio::Event&) {
  std::string name;
  std::ifstream("/proc/self/comm") >> name;
  return name;
}
NUCLIO_HANDLER(handler)
"""


@pytest.fixture(scope="module")
def registry(images, tmp_path_factory):
    """A registry with the bases."""
    registry = building.Registry(tmp_path_factory.mktemp("registry"))
    for name in ("python", "cpp"):
        tag = {"python": "3.11", "cpp": "12"}[name]
        building.skopeo(
            "copy",
            "-q",
            "--dest-tls-verify=false",
            f"oci:{images}/{name}:{tag}",
            f"docker://{registry.host}/nuclio/{name}:{tag}",
        )
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Of nuctl, with a cache that the tests share."""
    return tmp_path_factory.mktemp("nuctl")


@pytest.fixture
def nuctl(home):
    return building.Nuctl(home)


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "words.py").write_text(HANDLER)
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    return folder


def flags(registry, code, base="python:3.11"):
    return ("--path", code, "--registry", registry.url, "--base-image", f"{registry.host}/nuclio/{base}")


def digest_in(said):
    return re.search(r'"digest": "(sha256:[0-9a-f]{64})"', said)[1]


def test_a_python_function_runs_from_its_image_with_its_packages(registry, nuctl, code, tmp_path):
    said = nuctl.built("words", *flags(registry, code))
    # The base's layers did not pass through here.
    assert re.search(r" 0 layers were there, 1 mounted", said), said
    root = registry.unpack("nuclio/processor-words:latest", tmp_path)
    answer = building.run_in_image(root, b"greetings")
    assert re.fullmatch(r"200 greetings from 3\.11\.\d+ with six 1\.16\.0", answer), answer

    (code / "words.py").write_text(HANDLER.replace("from", "of"))
    said = nuctl.built("words", *flags(registry, code))
    sent = int(re.search(r'"sentBytes": (\d+)', said)[1])
    assert sent < 100 << 10
    assert "3 layers were there" in said  # base, processor, packages


def test_a_cpp_function_runs_from_its_image_on_the_cpp_base(registry, nuctl, tmp_path):
    """In the processor and in a process of its own: the image remembers which."""
    source = tmp_path / "who.cc"
    source.write_text(WHO)
    for name, attributes, program in (
        ("who-inside", {}, "processor"),
        ("who-apart", {"isolation": "process"}, "nuclio_cpp_runn"),
    ):
        nuctl.built(name, *flags(registry, source, "cpp:12"), "--runtime-attrs", json.dumps(attributes))
        folder = tmp_path / name
        folder.mkdir()
        answer = building.run_in_image(registry.unpack(f"nuclio/processor-{name}:latest", folder))
        assert answer.split() == ["200", program], answer


def test_an_entry_point_gets_the_processor_as_its_command(registry, nuctl, code):
    directives = {"postCopy": [{"kind": "ENTRYPOINT", "value": '["/usr/bin/env", "-u", "WHO"]'}]}
    nuctl.built("inited", *flags(registry, code), "--set", f"spec.build.directives={json.dumps(directives)}")
    config = registry.config("nuclio/processor-inited:latest")["config"]
    assert config["Entrypoint"] == ["/usr/bin/env", "-u", "WHO"]
    assert config["Cmd"] == ["/usr/local/bin/processor"]


def test_an_interrupted_build_leaves_neither_processes_nor_folders(registry, nuctl, code, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [running.BIN / "nuctl", "build", "slow", *map(str, flags(registry, code)), "--build-command", "sleep 54321"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**nuctl.environment, "TMPDIR": str(scratch)},
    )
    for line in process.stdout:
        if "RUN sleep" in line:
            break
    assert list(scratch.iterdir())
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[0]
    assert process.returncode == 1 and "the build was interrupted" in said
    assert not list(scratch.iterdir())
    sleeping = ["pgrep", "-f", "^sleep 54321$"]
    running.wait_for(
        lambda: subprocess.run(sleeping, capture_output=True).returncode == 1, "the end of the command", 10
    )


def test_containerd_and_buildah_pull_it(registry, nuctl, code, tmp_path):
    digest = digest_in(nuctl.built("pulled", *flags(registry, code)))
    reference = f"{registry.host}/nuclio/processor-pulled:latest"
    with making.containerd() as ctr:
        run(*ctr, "images", "pull", "--plain-http", "--snapshotter", "native", reference)
        assert digest in run(*ctr, "images", "check", "--snapshotter", "native")
    storage = ["--root", tmp_path / "root", "--runroot", tmp_path / "run", "--storage-driver", "vfs"]
    run("buildah", *storage, "pull", "--quiet", "--tls-verify=false", reference)
    seen = json.loads(run("buildah", *storage, "inspect", "--type", "image", reference))
    assert seen["FromImageDigest"] == digest


def test_commands_run_once_and_see_the_base_and_the_code(registry, nuctl, code, tmp_path):
    commands = ["--build-command", "python3 -c 'import time; print(time.time_ns())' > /opt/when"]
    commands += ["--build-command", "@nuclio.postCopy", "--build-command", "wc -l < /opt/nuclio/words.py > /opt/lines"]
    directives = {"preCopy": [{"kind": "ENV", "value": "WHO=us"}, {"kind": "USER", "value": "0"}]}
    commands += ["--set", f"spec.build.directives={json.dumps(directives)}"]
    first = nuctl.built("commands", *flags(registry, code), *commands)
    assert "RUN python3 -c" in first
    again = nuctl.built("commands", *flags(registry, code), *commands)
    assert "CACHED python3 -c" in again and digest_in(again) == digest_in(first)
    (code / "words.py").write_text(HANDLER + "# one more line\n")
    changed = nuctl.built("commands", *flags(registry, code), *commands)
    assert "CACHED python3 -c" in changed and "RUN wc" in changed
    root = registry.unpack("nuclio/processor-commands:latest", tmp_path)
    assert (root / "opt/when").read_text().strip().isdigit()
    assert int((root / "opt/lines").read_text()) == len((HANDLER + "#\n").splitlines())
    assert "WHO=us" in registry.config("nuclio/processor-commands:latest")["config"]["Env"]
    assert building.run_in_image(root, b"hi").startswith("200 hi from 3.11.")


def test_a_command_that_fails_is_told_with_its_words_and_leaves_the_tag(registry, nuctl, code):
    nuctl.built("failing", *flags(registry, code))
    before = registry.digest("nuclio/processor-failing:latest")
    done = nuctl.build("failing", *flags(registry, code), "--build-command", "echo so it goes; exit 7")
    assert done.returncode == 1
    assert "exited with code 7" in done.stdout and "so it goes" in done.stdout
    assert registry.digest("nuclio/processor-failing:latest") == before


def test_no_secret_is_in_an_argument_while_it_is_built(locked, images, nuctl, code, tmp_path):
    """Every process of this machine may read every other's arguments."""
    canary = "c4nary-hush"
    nuctl = building.Nuctl(tmp_path)
    nuctl.log_in(locked.host)
    base = ["--base-image", "scratch", "--builder-kind", "layers"]
    process = subprocess.Popen(
        [running.BIN / "nuctl", "build", "secret", "--path", code, "--registry", locked.url, *base]
        + ["--set", f"spec.build.args.TOKEN={canary}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=nuctl.environment,
    )
    seen = {}
    while process.poll() is None:
        for pid in running.children(process.pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    seen[pid] = file.read()
            except OSError:
                continue
        time.sleep(0.001)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert seen  # the runtime's program at least
    for words in (*seen.values(), said.encode()):
        assert canary.encode() not in words
        assert building.PASSWORD.encode() not in words


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    registry = building.Registry(tmp_path_factory.mktemp("locked"), login=True)
    yield registry
    registry.stop()


def test_a_full_disk_is_said_and_leaves_no_tag(registry, code, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=3m", "none", disk)
    try:
        nuctl = building.Nuctl(tmp_path, NUCLIO_HOME=str(disk / "home"))
        done = nuctl.build("full", *flags(registry, code))
        assert done.returncode == 1
        assert "No space left on device" in done.stdout and str(disk) in done.stdout, done.stdout
        answer = running.request(registry.host, path="/v2/nuclio/processor-full/tags/list")
        assert answer.status == 404 or not answer.json.get("tags")
    finally:
        run("umount", disk)


def build_with(kind, registry, nuctl, code, tmp_path, name):
    """The same function by somebody else, with what only they can do."""
    directives = {"postCopy": [{"kind": "HEALTHCHECK", "value": "NONE"}, {"kind": "STOPSIGNAL", "value": "SIGTERM"}]}
    said = nuctl.built(
        name,
        *flags(registry, code),
        *("--builder-kind", kind, "--build-command", "test $LEVEL = 5 && echo done > /tmp/done"),
        *("--set", "spec.build.args.LEVEL=5", "--set", f"spec.build.directives={json.dumps(directives)}"),
        timeout=300,
    )
    assert digest_in(said) == registry.digest(f"nuclio/processor-{name}:latest")
    root = registry.unpack(f"nuclio/processor-{name}:latest", tmp_path)
    assert (root / "tmp/done").read_text() == "done\n"
    assert building.run_in_image(root, b"hi").startswith("200 hi from 3.11.")


def test_buildah_builds_the_same(registry, home, code, tmp_path):
    storage = tmp_path / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n')
    nuctl = building.Nuctl(home, CONTAINERS_STORAGE_CONF=str(storage))
    build_with("buildah", registry, nuctl, code, tmp_path, "by-buildah")
    done = nuctl.build("by-buildah", *flags(registry, code), "--builder-kind", "buildah", "--build-command", "exit 3")
    assert done.returncode == 1 and "3" in done.stdout.splitlines()[-1]


@pytest.fixture
def docker():
    """DOCKER_HOST of an engine of the test's own, which leaves the machine's network alone."""
    if not shutil.which("dockerd"):
        pytest.skip("dockerd is not installed")
    with tempfile.TemporaryDirectory(prefix="nuclio-docker-", ignore_cleanup_errors=True) as short:
        folder = pathlib.Path(short)
        command = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs"]
        command += ["--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "pid"]
        command += ["-H", f"unix://{folder}/socket"]
        asked = ["curl", "-sf", "--unix-socket", folder / "socket", "http://docker/_ping"]

        def answers():
            return subprocess.run(asked, capture_output=True, timeout=60).returncode == 0

        with making.started(command, folder / "log", answers, "dockerd"):
            yield f"unix://{folder}/socket"


def test_docker_builds_the_same(registry, home, code, tmp_path, docker):
    nuctl = building.Nuctl(home, DOCKER_HOST=docker)
    build_with("docker", registry, nuctl, code, tmp_path, "by-docker")
    done = nuctl.build("by-docker", *flags(registry, code), "--builder-kind", "docker", "--build-command", "exit 3")
    assert done.returncode == 1 and "returned a non-zero code: 3" in done.stdout


def test_docker_that_does_not_run_is_said(registry, home, code, tmp_path):
    nuctl = building.Nuctl(home, DOCKER_HOST=f"unix://{tmp_path}/none")
    done = nuctl.build("nowhere", *flags(registry, code), "--builder-kind", "docker")
    assert done.returncode == 1
    assert f"no docker engine answers at {tmp_path}/none" in done.stdout
    assert "--builder-kind layers" in done.stdout
