# SPDX-License-Identifier: Apache-2.0
"""nuctl build: images in a real registry, images as files, folders that a processor runs."""

import http.client
import http.server
import json
import pathlib
import re
import subprocess
import threading
import time

import building
import pytest
import running

HELLO = """
#include <nuclio/nuclio.h>
nuclio::Response handler(nuclio::Context&, const nuclio::Event& event) {
  return nuclio::Response("hello " + std::string(event.body()));
}
NUCLIO_HANDLER(handler)
"""
PYTHON = "def handler(context, event):\n    return {!r}\n"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = building.Registry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A registry that wants a login."""
    registry = building.Registry(tmp_path_factory.mktemp("locked"), login=True)
    yield registry
    registry.stop()


@pytest.fixture
def nuctl(tmp_path):
    return building.Nuctl(tmp_path)


@pytest.fixture
def cpp(tmp_path):
    path = tmp_path / "hello.cc"
    path.write_text(pathlib.Path(running.SOURCE / "examples" / "cpp" / "hello.cc").read_text())
    return path


@pytest.fixture
def python(tmp_path):
    path = tmp_path / "hello.py"
    path.write_text(PYTHON.format("one"))
    return path


def digest_in(said):
    return re.search(r'"digest": "(sha256:[0-9a-f]{64})"', said)[1]


def test_a_cpp_function_on_an_empty_base_runs_from_its_image(registry, nuctl, cpp, tmp_path):
    said = nuctl.built("hello", "--path", cpp, "--registry", registry.url, "--base-image", "scratch")
    image = "nuclio/processor-hello:latest"
    assert digest_in(said) == registry.digest(image)
    config = registry.config(image)
    assert config["config"]["Cmd"] == ["/usr/local/bin/processor"]
    assert "8080/tcp" in config["config"]["ExposedPorts"]
    assert config["created"] == "1970-01-01T00:00:00Z"
    answer = building.run_in_image(registry.unpack(image, tmp_path), b"there")
    assert answer.startswith("200 "), answer


def test_equal_input_is_an_equal_image_on_any_machine_and_a_change_sends_little(registry, nuctl, cpp, tmp_path):
    flags = ("--path", cpp, "--registry", registry.url, "--base-image", "scratch", "--image", "same:1")
    first = digest_in(nuctl.built("same", *flags))
    again = nuctl.built("same", *flags)
    assert digest_in(again) == first
    assert "is this image already" in again
    other = building.Nuctl(tmp_path / "elsewhere", TMPDIR=str(tmp_path))
    assert digest_in(other.built("same", *flags)) == first
    cpp.write_text(cpp.read_text().replace("Hello", "Good evening"))
    changed = nuctl.built("same", *flags)
    assert digest_in(changed) != first
    sent = re.search(r"in \d+ ms: (\d+) (B|kB) sent, 1 layers were there", changed)
    assert sent and (sent[2] == "B" or int(sent[1]) <= 100), changed


def test_the_time_of_an_image_is_source_date_epoch(registry, tmp_path, cpp):
    nuctl = building.Nuctl(tmp_path, SOURCE_DATE_EPOCH="1000000000")
    nuctl.built("dated", "--path", cpp, "--registry", registry.url, "--base-image", "scratch")
    assert registry.config("nuclio/processor-dated:latest")["created"] == "2001-09-09T01:46:40Z"
    wrong = building.Nuctl(tmp_path, SOURCE_DATE_EPOCH="yesterday")
    done = wrong.build("dated", "--path", cpp, "--registry", registry.url, "--base-image", "scratch")
    assert done.returncode == 1
    assert 'SOURCE_DATE_EPOCH must be seconds since 1970, is "yesterday"' in done.stdout


def test_a_missing_login_stops_within_a_second_and_says_how_to_log_in(locked, nuctl, cpp):
    flags = ("--path", cpp, "--registry", locked.url, "--base-image", "scratch")
    began = time.monotonic()
    done = nuctl.build("hello", *flags)
    assert time.monotonic() - began < 1
    assert done.returncode == 1
    for word in (locked.host, "nuclio/processor-hello", f"docker login {locked.host}"):
        assert word in done.stdout, done.stdout
    assert "Building" not in done.stdout  # nothing was begun

    nuctl.log_in(locked.host, password="c4nary-hush")
    began = time.monotonic()
    done = nuctl.build("hello", *flags)
    assert time.monotonic() - began < 1
    assert done.returncode == 1
    assert locked.host in done.stdout and "tester" in done.stdout
    assert "config.json" in done.stdout  # where the wrong login was found
    assert "c4nary-hush" not in done.stdout

    nuctl.log_in(locked.host)
    nuctl.built("hello", *flags)


def test_a_login_that_is_missing_stops_it_before_code_is_fetched(locked, nuctl):
    nobody = f"http://127.0.0.1:{building.free_port()}/code.zip"  # fetching would fail otherwise
    done = nuctl.build(
        "hello", "--path", nobody, "--code-entry-type", "archive", "--registry", locked.url, "--runtime", "cpp"
    )
    assert done.returncode == 1
    assert f"docker login {locked.host}" in done.stdout, done.stdout


def test_a_registry_that_is_not_there_or_speaks_no_tls_is_said_at_once(registry, nuctl, cpp):
    nowhere = f"127.0.0.1:{building.free_port()}"
    done = nuctl.build("hello", "--path", cpp, "--registry", f"http://{nowhere}", "--base-image", "scratch")
    assert done.returncode == 1
    assert nowhere in done.stdout and "refused" in done.stdout.lower()
    # Without "http://" nothing is sent in the clear.
    done = nuctl.build("hello", "--path", cpp, "--registry", registry.host, "--base-image", "scratch")
    assert done.returncode == 1
    assert registry.host in done.stdout


class Proxy(http.server.BaseHTTPRequestHandler):
    """Knows a host that nobody else does."""

    protocol_version = "HTTP/1.1"
    behind = None
    asked = []

    def answer(self):
        self.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(self.behind, timeout=20)
        path = self.path.removeprefix("http://registry.test")
        connection.request(self.command, path, body, {**self.headers, "Connection": "close"})
        answer = connection.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = answer.headers.get("Content-Length", 0) if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


def test_a_registry_behind_the_users_proxy_is_reached_through_it(registry, tmp_path, cpp):
    Proxy.behind = registry.host
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = "http://127.0.0.1:%d" % server.server_address[1]
        flags = ("--path", cpp, "--registry", "http://registry.test", "--base-image", "scratch")
        building.Nuctl(tmp_path, http_proxy=address, no_proxy="elsewhere.test").built("proxied", *flags)
        assert any(path.startswith("http://registry.test/v2/nuclio/processor-proxied/") for path in Proxy.asked)
        assert registry.digest("nuclio/processor-proxied:latest")
        # One that is to be asked without is not known here.
        done = building.Nuctl(tmp_path, http_proxy=address, no_proxy=".test").build("proxied", *flags)
        assert done.returncode == 1 and "registry.test" in done.stdout
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_a_base_that_does_not_exist_is_named(registry, nuctl, python):
    done = nuctl.build("hello", "--path", python, "--registry", registry.url, "--base-image", f"{registry.host}/no:1")
    assert done.returncode == 1
    assert f"{registry.host}/no:1" in done.stdout, done.stdout


@pytest.mark.parametrize(
    "flags, says",
    [
        (("--registry", "http://127.0.0.1:1", "--image", "../x"), "spec.build.image must be an image or registry"),
        (("--registry", "http://127.0.0.1:1", "--image", "A:1"), 'is "A:1"'),
        (("--registry", "team"), "for Docker Hub write docker.io/team"),
        ((), "there is no place for the image"),
        (("--registry", "http://127.0.0.1:1", "--handler", "../../etc/passwd:x"), "spec.handler"),
        (("--output", "x.tar", "--builder-kind", "docker"), "docker and buildah only push"),
        (("--output", "x.tar", "--builder-kind", "podman"), "must be layers, docker or buildah"),
        (("--output", "oci:"), "names no file"),
    ],
)
def test_what_is_wrong_with_the_command_line_is_said(nuctl, python, flags, says):
    done = nuctl.build("hello", "--path", python, *flags)
    assert done.returncode == 1
    assert says in done.stdout, done.stdout


def test_a_name_cannot_lead_out_of_the_registrys_path(nuctl, python):
    for name in ("../x", "a/b", "a b", "UPPER"):
        done = nuctl.build(name, "--path", python, "--registry", "http://127.0.0.1:1")
        assert done.returncode == 1
        assert "metadata.name" in done.stdout or "image's name" in done.stdout, done.stdout


def test_a_folder_is_what_a_processor_runs(nuctl, python, tmp_path):
    triggers = json.dumps({"web": {"kind": "http", "url": "127.0.0.1:0"}})
    folder = tmp_path / "out" / "hello"
    said = nuctl.built("hello", "--path", python, "--output", folder, "--triggers", triggers)
    assert f"--config {folder}/processor.yaml" in said
    platform = tmp_path / "platform.yaml"
    platform.write_text(
        json.dumps({"healthCheck": {"listenAddress": "127.0.0.1:0"}, "webAdmin": {"listenAddress": "127.0.0.1:0"}})
    )
    command = [running.BIN / "processor", "--config", folder / "processor.yaml", "--platform-config", platform]
    process, line = running.start_and_listen([*command, "--status-fd"], tmp_path / "log", nuctl.environment)
    try:
        assert running.request(json.loads(line)["addresses"]["http"]).text == "one"
    finally:
        process.terminate()
        process.wait(20)
    done = nuctl.build("hello", "--path", python, "--output", folder)
    assert done.returncode == 1
    assert "exists already" in done.stdout


@pytest.mark.parametrize("form", ["out.tar", "docker-archive:out", "oci-archive:out", "oci:out"])
def test_an_image_becomes_a_file_that_others_read(nuctl, cpp, tmp_path, form):
    prefix, _, name = form.rpartition(":")
    path = tmp_path / name
    nuctl.built("hello", "--path", cpp, "--base-image", "scratch", "--output", form.replace(name, str(path)))
    read = json.loads(building.skopeo("inspect", "--config", f"{prefix or 'docker-archive'}:{path}"))
    assert read["config"]["Cmd"] == ["/usr/local/bin/processor"]
    assert len(read["rootfs"]["diff_ids"]) == 2


def test_twenty_builds_at_once_share_a_cache(registry, nuctl, cpp):
    flags = ["--path", cpp, "--registry", registry.url, "--base-image", "scratch"]
    building_now = [
        subprocess.Popen(
            [running.BIN / "nuctl", "build", f"many-{i}", *map(str, flags)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=nuctl.environment,
        )
        for i in range(20)
    ]
    ends = [process.communicate(timeout=120)[0] for process in building_now]
    assert [process.returncode for process in building_now] == [0] * 20, ends
    assert len({digest_in(said) for said in ends}) == 20
