# SPDX-License-Identifier: Apache-2.0
"""What a deploy does with a C++ function: prepare builds it, the runner serves it. Both from the build tree."""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("NUCLIO_BIN", SOURCE / "build" / "release" / "bin"))
RUNTIME = BIN.parent / "share" / "nuclio" / "runtimes" / "cpp"
EXAMPLES = SOURCE / "examples" / "cpp"

START, EVENT, REPLY, CHUNK, LOG = 1, 2, 4, 5, 6
FAILED, MORE = 1, 2


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    folder.mkdir()
    return folder


@pytest.fixture
def prepare(tmp_path, code):
    """prepare() runs it on the code; the result has returncode and the build log's lines."""

    def run(environment=None, program=RUNTIME / "prepare", cwd=None):
        completed = subprocess.run(
            [program, "--code", code, "--out", code / ".nuclio", "--cache", tmp_path / "cache"],
            # Not optimised, since the tests wait for the compiler rather than for what it makes.
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "CXXFLAGS": "-O0", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            cwd=cwd,
        )
        completed.lines = completed.stdout.splitlines()
        return completed

    return run


class Worker:
    """The runner as a child, driven by hand: the processor's side of runtimes/wire/FORMAT.md."""

    def __init__(self, code, handler):
        manifest = json.loads((RUNTIME / "runtime.json").read_text())
        ours, theirs = socket.socketpair()
        values = {
            "runtime": RUNTIME,
            "out": code / ".nuclio",
            "fd": theirs.fileno(),
            "handler": handler,
            "function": "tested",
            "trigger_kind": "http",
            "trigger_name": "front",
            "worker": 0,
        }
        # Over the socket alone, as a manifest's empty value leaves out the flag before it.
        words = [word for word in manifest["worker"] if word not in ("--ring", "{ring}")]
        argv = [word.format(**values) for word in words]
        self.child = subprocess.Popen(argv, pass_fds=[theirs.fileno()], cwd=code)
        theirs.close()
        self.socket = ours
        self.socket.settimeout(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        assert self.child.wait(30) is not None

    def send_event(self, call, body=b"", path="/"):
        texts = [b"id", b"POST", path.encode()]
        end = 56 + 4 * (len(texts) + 1)
        offsets = [end]
        for text in texts:
            end += len(text)
            offsets.append(end)
        begin = -(-end // 8) * 8
        length = begin + -(-len(body) // 8) * 8
        head = struct.pack("<IBBHQQqHHHHQQ", length, EVENT, 1, 0, call, 0, 0, 0, len(texts), 0, 0, begin, len(body))
        frame = head + struct.pack(f"<{len(offsets)}I", *offsets) + b"".join(texts)
        self.socket.sendall((frame.ljust(begin, b"\0") + body).ljust(length, b"\0"))

    def receive(self):
        """(type, flags, strings, body) of the next frame."""
        frame = self._exactly(4)
        (length,) = struct.unpack("<I", frame)
        frame += self._exactly(length - 4)
        _, kind, _, flags, _, _, _, numbers, strings, _, _, begin, size = struct.unpack_from("<IBBHQQqHHHHQQ", frame)
        offsets = struct.unpack_from(f"<{strings + 1}I", frame, 56 + 8 * numbers)
        texts = [frame[offsets[i] : offsets[i + 1]].decode() for i in range(strings)]
        return kind, flags, texts, frame[begin : begin + size]

    def answer(self, call, body=b"", path="/"):
        """(body, number of pieces, messages logged meanwhile) of a call."""
        self.send_event(call, body, path)
        logged, pieces = [], []
        while True:
            kind, flags, texts, piece = self.receive()
            assert not flags & FAILED, texts
            if kind == LOG:
                logged.append(texts[0])
                continue
            pieces.append(piece)
            if not flags & MORE:
                return b"".join(pieces), len(pieces), logged

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            assert piece, "the runner closed the socket"
            data += piece
        return data


def write_project(code, cmake):
    (code / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.16)\nproject(shop CXX)\n" + cmake)


def test_hello_is_built_once_and_served(code, prepare):
    shutil.copy(EXAMPLES / "hello.cc", code)
    first = prepare()
    assert first.returncode == 0, first.stdout
    assert first.lines[0].startswith("Compiling hello.cc with ")
    with Worker(code, "hello:handler") as worker:
        kind, flags, texts, _ = worker.receive()
        assert (kind, flags) == (START, 0), texts
        assert worker.answer(1, path="/here") == (b"Hello from C++", 1, ["Greeting a caller"])

    (code / ".nuclio" / "handler.so").unlink()
    second = prepare()
    assert second.returncode == 0
    assert second.lines[0].startswith("Nothing has changed since it was built with ")
    assert (code / ".nuclio" / "handler.so").is_file()


def test_called_by_a_relative_path_it_tells_one_code_from_another(code, prepare):
    shutil.copy(EXAMPLES / "hello.cc", code)
    for lines in ("", "// changed\n"):
        (code / "hello.cc").write_text(lines + (EXAMPLES / "hello.cc").read_text())
        built = prepare(program="cpp/prepare", cwd=RUNTIME.parent)
        assert built.returncode == 0, built.stdout
        assert built.lines[0].startswith("Compiling hello.cc with ")


def test_stream_comes_in_pieces(code, prepare):
    shutil.copy(EXAMPLES / "stream.cc", code)
    assert prepare().returncode == 0
    with Worker(code, "stream:handler") as worker:
        assert worker.receive()[0] == START
        # The head, three pieces and the end.
        assert worker.answer(1, b"2") == (b"2\n1\nliftoff\n", 5, [])


def test_a_project_is_built_with_its_own_libraries(code, prepare):
    write_project(
        code,
        """
        find_package(nuclio REQUIRED)
        add_library(stock SHARED stock.cc)
        nuclio_function(handler SOURCES handler.cc)
        target_link_libraries(handler PRIVATE stock)
        """,
    )
    (code / "stock.cc").write_text('const char* in_stock() { return "7 left"; }\n')
    (code / "handler.cc").write_text(
        "#include <nuclio/nuclio.h>\n"
        "const char* in_stock();\n"
        "std::string stock(nuclio::Context&, const nuclio::Event&) { return in_stock(); }\n"
        "NUCLIO_HANDLER(stock)\n"
    )
    built = prepare()
    assert built.returncode == 0, built.stdout
    assert built.lines[0].startswith("Building the CMake project with ")
    with Worker(code, "handler:stock") as worker:
        kind, flags, texts, _ = worker.receive()
        assert (kind, flags) == (START, 0), texts
        assert worker.answer(1)[0] == b"7 left"


def test_a_project_may_find_the_headers_itself(code, prepare):
    shutil.copy(EXAMPLES / "hello.cc", code)
    write_project(
        code,
        """
        add_library(shop SHARED hello.cc)
        target_include_directories(shop PRIVATE ${NUCLIO_INCLUDE_DIR})
        """,
    )
    built = prepare()
    assert built.returncode == 0, built.stdout
    with Worker(code, "shop:handler") as worker:
        assert worker.receive()[0] == START
        assert worker.answer(1)[0] == b"Hello from C++"


def broken_source(code):
    (code / "shop.cc").write_text("#include <nuclio/nuclio.h>\n\nint stock = unknown;\n")


def undefined_function(code):
    (code / "shop.cc").write_text("int stock();\nint order() { return stock(); }\n")


def no_source(code):
    (code / "notes.txt").write_text("later")


def broken_project(code):
    write_project(code, "find_package(nuclio REQUIRED)\nnuclio_fnction(handler)\n")


def project_without_object(code):
    write_project(code, "add_library(shop STATIC shop.cc)\n")
    (code / "shop.cc").write_text("int stock() { return 7; }\n")


@pytest.mark.parametrize(
    "write, anywhere, last",
    [
        (broken_source, "shop.cc:3:13: error: ", "the function does not compile: shop.cc:3:13: error: "),
        (undefined_function, "undefined reference to `stock()'", "the function does not compile: "),
        (no_source, "", "the function has no C++ source; expected a .cc, .cpp or .cxx file or a CMakeLists.txt in /"),
        (
            broken_project,
            'Unknown CMake command "nuclio_fnction"',
            "the function cannot be configured by CMake: CMake Error at CMakeLists.txt:4",
        ),
        (project_without_object, "", "the CMake project makes no shared object; add to it: nuclio_function("),
    ],
)
def test_what_cannot_be_built_says_so_in_its_last_line(code, prepare, write, anywhere, last):
    write(code)
    built = prepare({"CXX": "g++"})
    assert built.returncode == 1
    assert anywhere in built.stdout
    assert built.lines[-1].startswith(last)
    assert not (code / ".nuclio" / "handler.so").exists()


def test_a_missing_compiler_is_said_to_be_missing(code, prepare):
    shutil.copy(EXAMPLES / "hello.cc", code)
    built = prepare({"CXX": "no-such-compiler"})
    assert built.returncode == 1
    assert built.lines[-1] == (
        "the C++ compiler that CXX names, no-such-compiler, cannot be run; install it or unset CXX"
    )
