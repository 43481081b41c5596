# SPDX-License-Identifier: Apache-2.0
"""A real registry, nuctl as who builds, and images as files that run."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tarfile

import running

HERE = pathlib.Path(__file__).resolve().parent
# "tester" may log in with "open sesame".
HTPASSWD = "tester:$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy\n"
PASSWORD = "open sesame"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    """Debian's docker-registry on a port of its own, over plain HTTP; with a login when `folder` holds `htpasswd`."""

    def __init__(self, folder, login=False):
        self.folder = pathlib.Path(folder)
        self.host = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.host}"
        auth = ""
        if login:
            (self.folder / "htpasswd").write_text(HTPASSWD)
            auth = f"auth: {{htpasswd: {{realm: test, path: {self.folder / 'htpasswd'}}}}}\n"
        (self.folder / "config.yml").write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder / 'data'}}}, delete: {{enabled: true}}}}\n"
            f'http: {{addr: "{self.host}", secret: test}}\n{auth}'
        )
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["docker-registry", "serve", self.folder / "config.yml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
            )
        running.wait_for(self._answers, "an answer of the registry")

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(OSError):
            return running.request(self.host, path="/v2/").status in (200, 401)
        return False

    def config(self, image):
        """Of docker, as skopeo sees it."""
        return json.loads(skopeo("inspect", "--config", "--tls-verify=false", f"docker://{self.host}/{image}"))

    def manifest(self, image):
        return json.loads(skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{self.host}/{image}"))

    def digest(self, image):
        return json.loads(skopeo("inspect", "--no-tags", "--tls-verify=false", f"docker://{self.host}/{image}"))[
            "Digest"
        ]

    def unpack(self, image, folder):
        """The image's files, as skopeo pulls them and tar unpacks them."""
        layout = pathlib.Path(folder) / "pulled"
        skopeo("copy", "-q", "--src-tls-verify=false", f"docker://{self.host}/{image}", f"dir:{layout}")
        root = pathlib.Path(folder) / "root"
        root.mkdir()
        for layer in json.loads((layout / "manifest.json").read_text())["layers"]:
            with tarfile.open(layout / layer["digest"].removeprefix("sha256:")) as archive:
                archive.extractall(root)
        return root

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def skopeo(*args):
    done = subprocess.run(["skopeo", *args], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Nuctl:
    """nuctl with a home of its own."""

    def __init__(self, folder, **environment):
        self.folder = pathlib.Path(folder)
        self.environment = {
            **running.plain_environment(),
            "NUCLIO_HOME": str(self.folder / "home"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            **environment,
        }

    def build(self, name, *flags, timeout=120):
        """A CompletedProcess; output and errors are both in stdout, as a person sees them."""
        return subprocess.run(
            [running.BIN / "nuctl", "build", name, *map(str, flags)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            env=self.environment,
        )

    def built(self, name, *flags, **options):
        """What it said, after it went well."""
        done = self.build(name, *flags, **options)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def log_in(self, host, user="tester", password=PASSWORD):
        import base64

        folder = pathlib.Path(self.environment["DOCKER_CONFIG"])
        folder.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def run_in_image(root, body=b""):
    """Starts what the image starts, in a network and among processes of its own, and gives the answer to one event.

    Namespaces as an ordinary user may have them: root within is whoever runs the tests.
    """
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    for name in ("proc", "dev"):
        pathlib.Path(root, name).mkdir(exist_ok=True)
    pathlib.Path(root, "dev/null").touch()
    done = subprocess.run(
        [*command, f"--mount-proc={root}/proc", sys.executable, HERE / "inside_image.py", root],
        input=body,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()
