# SPDX-License-Identifier: Apache-2.0
"""C++ functions: compiled by the platform, called in the processor or in a process of their own."""

import concurrent.futures
import json

import pytest
import running

CODE = r"""
#include <nuclio/nuclio.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unistd.h>

nuclio::Response handler(nuclio::Context& context, const nuclio::Event& event) {
  const std::string what(event.path());
  if (what == "/pid") return nuclio::Response(std::to_string(::getpid()));
  if (what == "/abort") std::abort();
  if (what == "/throw") throw std::runtime_error("no good");
  if (what == "/error") throw nuclio::Error(404, "no such thing");
  if (what == "/stream")
    return nuclio::Response::stream([](nuclio::Writer& writer) {
      for (int i = 0; i < 100; ++i) writer.write(std::to_string(i) + ";");
    });
  context.logger.info("called", {{"path", what}});
  return nuclio::Response(std::string(event.body()));
}
NUCLIO_HANDLER(handler)
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    path = tmp_path_factory.mktemp("cpp") / "code.cc"
    path.write_text(CODE)
    return path


@pytest.fixture(scope="module", params=["in-process", "process"])
def function(dashboard, code, request):
    """The same function in both isolations; they differ in what a crash costs and in nothing else."""
    name = f"cpp-{request.param}"
    flags = ["--runtime-attrs", json.dumps({"isolation": "process"})] if request.param == "process" else []
    dashboard.deploy(name, code, *flags)
    return name


def test_it_answers_what_it_got(dashboard, function):
    body = bytes(range(256)) * 1000
    answer = running.request(dashboard.url(function), "POST", "/echo", body)
    assert (answer.status, answer.body) == (200, body)
    log = dashboard.nuctl("logs", function).stdout
    assert "called" in log and '"path": "/echo"' in log


def test_an_exception_is_500_and_an_error_has_its_own_status(dashboard, function):
    answer = running.request(dashboard.url(function), path="/throw")
    assert (answer.status, "no good" in answer.text) == (500, True)
    answer = running.request(dashboard.url(function), path="/error")
    assert (answer.status, "no such thing" in answer.text) == (404, True)
    assert running.request(dashboard.url(function), "POST", "/", b"still here").text == "still here"


def test_a_stream_arrives_whole_and_chunked(dashboard, function):
    answer = running.request(dashboard.url(function), path="/stream")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.text == "".join(f"{i};" for i in range(100))


def test_where_it_runs(dashboard, function):
    pid = int(running.request(dashboard.url(function), path="/pid").text)
    in_processor = pid in running.children(dashboard.process.pid)
    assert in_processor == (function == "cpp-in-process")


def test_a_crash_in_a_process_of_its_own_costs_one_call(dashboard, code):
    triggers = {"web": {"kind": "http", "numWorkers": 2}}
    dashboard.deploy(
        "cpp-crashes", code, "--runtime-attrs", '{"isolation": "process"}', "--triggers", json.dumps(triggers)
    )
    address = dashboard.url("cpp-crashes")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        others = [pool.submit(running.request, address, "POST", "/", b"x") for _ in range(100)]
        assert running.request(address, path="/abort").status == 502
        assert {other.result(60).status for other in others} == {200}
    replicas = dashboard.api("GET", "/functions/cpp-crashes/replicas").json["names"]
    assert len(replicas) == 1
    assert running.request(address, "POST", "/", b"again").text == "again"


def test_a_compile_error_fails_the_deploy_and_says_where(dashboard, tmp_path):
    broken = tmp_path / "broken.cc"
    broken.write_text(CODE.replace("std::abort();", "std::abort()"))
    done = dashboard.nuctl("deploy", "cpp-broken", "--path", broken)
    assert done.returncode == 1
    assert "broken.cc:12" in done.stderr


def test_a_missing_handler_is_named_with_those_that_exist(dashboard, code):
    done = dashboard.nuctl("deploy", "cpp-missing", "--path", code, "--handler", "code:other")
    assert done.returncode == 1
    assert "other" in done.stderr and "handler" in done.stderr


def test_a_cmake_project_is_built(dashboard, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\n"
        "project(words CXX)\n"
        "find_package(nuclio REQUIRED)\n"
        "nuclio_function(words words.cc count.cc)\n"
    )
    (tmp_path / "count.cc").write_text("int count() { return 3; }\n")
    (tmp_path / "words.cc").write_text(
        "#include <nuclio/nuclio.h>\n"
        "int count();\n"
        "std::string words(nuclio::Context&, const nuclio::Event&) { return std::to_string(count()); }\n"
        "NUCLIO_HANDLER(words)\n"
    )
    dashboard.deploy("cpp-project", tmp_path, "--runtime", "cpp", "--handler", "words:words")
    assert running.request(dashboard.url("cpp-project")).text == "3"
