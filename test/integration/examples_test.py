# SPDX-License-Identifier: Apache-2.0
"""Every example is deployed and called the way examples/README.md says."""

import json
import shlex

import pytest
import running

EXAMPLES = running.SOURCE / "examples"


@pytest.fixture(scope="module")
def deployed(dashboard):
    done = set()

    def deploy(name, path):
        if name not in done:
            dashboard.deploy(name, EXAMPLES / path)
            done.add(name)
        return dashboard.url(name)

    return deploy


def invoke(dashboard, *arguments):
    done = dashboard.nuctl("invoke", *arguments)
    assert done.returncode == 0, done
    return done.stdout


def test_hello(dashboard, deployed):
    assert "Hello" in running.request(deployed("hello", "python/hello.py")).text
    assert "Hello" in invoke(dashboard, "hello")


def test_event_info_answers_and_logs_what_it_got(dashboard, deployed):
    address = deployed("event-info", "python/event_info.py")
    answer = running.request(address, "POST", "/orders/7", b"two of them", {"X-Shop": "north"})
    assert answer.status == 200
    assert answer.json["path"] == "/orders/7"
    done = dashboard.nuctl("logs", "event-info")
    assert done.returncode == 0, done
    for words in (("http", "POST", "/orders/7"), ("X-Shop", "north"), ("Body", "11")):
        assert any(all(word in line for word in words) for line in done.stdout.splitlines()), (
            f"{words} in {done.stdout}"
        )


def test_inline_configuration(dashboard, deployed):
    address = deployed("inline", "python/inline.py")
    assert running.request(address, "POST", "/", b"Ada").text == "Bonjour, Ada!"


def test_cron_counts_its_ticks(deployed):
    address = deployed("heartbeat", "python/cron")
    running.wait_for(lambda: running.request(address).json["ticks"] >= 1, "the first tick")


def test_requirements_are_installed(deployed):
    address = deployed("plural", "python/requirements")
    assert running.request(address, "POST", "/", b"octopus").text.strip() == "octopi"


def test_async(dashboard, deployed):
    address = deployed("async-fetch", "python/async_fetch.py")
    answer = running.request(address, "POST", "/", dashboard.address.encode())
    assert answer.json == {dashboard.address: "answers"}


def test_hello_in_cpp(dashboard, deployed):
    assert "Hello" in running.request(deployed("hello-cpp", "cpp/hello.cc")).text


def test_stream_in_cpp(deployed):
    answer = running.request(deployed("stream-cpp", "cpp/stream.cc"), "POST", "/", b"3")
    assert answer.status == 200
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert len(answer.text.split()) >= 3


def test_the_readme_names_every_example():
    text = (EXAMPLES / "README.md").read_text()
    commands = [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith("nuctl deploy")]
    paths = {command[command.index("--path") + 1] for command in commands}
    for path in paths:
        assert (running.SOURCE / path).exists(), path
    # Templates are no functions yet, and have a test of their own.
    rest = [path for path in EXAMPLES.iterdir() if path.name != "templates"]
    sources = [path for each in rest for path in each.rglob("*") if path.suffix in (".py", ".cc")]
    for source in sources:
        assert any(source.is_relative_to(running.SOURCE / path) for path in paths), f"{source} is not in the README"


def test_examples_log_json_that_can_be_read(dashboard, deployed):
    deployed("hello", "python/hello.py")
    function = dashboard.nuctl("get", "function", "hello", "-o", "json")
    assert json.loads(function.stdout)["metadata"]["name"] == "hello"
