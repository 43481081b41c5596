# SPDX-License-Identifier: Apache-2.0
"""prepare and worker, the two programs that the manifest names."""

import importlib.util
import io
import json
import os
import pathlib
import shutil
import socket
import subprocess
import zipfile

import pytest
from nuclio_worker import frames

RUNTIME = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture
def prepare(tmp_path):
    """prepare(files, …) runs the program over a new folder of code and gives what it said."""
    code = tmp_path / "code"

    def run(files, handler="main:handler", version=None, start=False, commands=(), target=None):
        code.mkdir(exist_ok=True)
        for name, content in files.items():
            path = code / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        command = [RUNTIME / "prepare", "--code", code, "--handler", handler, "--out", code / ".nuclio"]
        command += ["--cache", tmp_path / "cache", *(["--version", version] if version else [])]
        command += ["--target", target] if target else []
        if target:
            (code / ".nuclio").mkdir(exist_ok=True)
        if commands:
            (tmp_path / "commands").write_text("".join(one + "\n" for one in commands))
            command += ["--commands", tmp_path / "commands"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A venv's Python first in PATH would be the tests' own.
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "PIP_NO_INDEX": "1"},
        )
        return process if start else finished(process)

    run.code = code
    run.cache = tmp_path / "cache"
    return run


def finished(process):
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def wheel(version="1.0", text="demo"):
    """A package `demo` as a file that pip installs without an index."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        info = "demo-{0}.dist-info/".format(version)
        file.writestr("demo.py", "TEXT = {0!r}\n".format(text))
        file.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: {0}\n".format(version))
        file.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(info + "RECORD", "demo.py,,\n{0}METADATA,,\n{0}WHEEL,,\n{0}RECORD,,\n".format(info))
    return data.getvalue()


HANDLER_OF_DEMO = "import demo\ndef handler(context, event):\n    return demo.TEXT\n"
DEMO = {"requirements.txt": "# ours\n./demo-1.0-py3-none-any.whl\n", "demo-1.0-py3-none-any.whl": wheel()}


def serve_one(code, handler="main:handler", environment=()):
    """The start frame and the reply to one event of a worker as the manifest starts it."""
    manifest = json.loads((RUNTIME / "runtime.json").read_text())
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    values = {"runtime": RUNTIME, "code": code, "out": code / ".nuclio", "fd": theirs.fileno(), "handler": handler}
    values.update(worker=0, trigger_kind="http", trigger_name="t", platform="process", namespace="n", log_level="info")
    # Over the socket alone, as a manifest's empty value leaves out the flag before it.
    words = [word for word in manifest["worker"] if word not in ("--ring", "{ring}")]
    words = [word.format_map({"version": "3.11", **values}) for word in words]
    import nuclio_sdk

    process = subprocess.Popen(
        words,
        pass_fds=[theirs.fileno()],
        cwd=code,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(pathlib.Path(nuclio_sdk.__file__).parent.parent),
            **dict(environment),
        },
    )
    theirs.close()
    stream = ours.makefile("rb")

    def receive():
        head = stream.read(4)
        return frames.decode(head + stream.read(int.from_bytes(head, "little") - 4))

    try:
        first = receive()
        if first.flags:
            return first, None
        ours.sendall(b"".join(frames.encode(frames.EVENT, 1)))
        return first, receive()
    finally:
        stream.close()
        ours.close()
        process.wait(20)


def test_code_without_requirements_needs_an_interpreter_and_no_more(prepare):
    code, out, err = prepare(
        {"main.py": "def handler(context, event):\n    return 'hi'\n", "requirements.txt": "\n# none\n"}
    )
    assert (code, err) == (0, "")
    assert out.startswith("Python 3.")
    interpreter = (prepare.code / ".nuclio" / "interpreter").read_text().strip()
    assert os.access(interpreter, os.X_OK)
    assert not prepare.cache.exists()
    assert serve_one(prepare.code)[1].body() == b"hi"


def test_a_worker_finds_an_interpreter_when_nothing_was_prepared(tmp_path):
    (tmp_path / "main.py").write_text("def handler(context, event):\n    return 'hi'\n")
    assert serve_one(tmp_path, environment={"PATH": "/usr/local/bin:/usr/bin:/bin"})[1].body() == b"hi"


def test_the_functions_environment_overrides_the_interpreter(prepare, tmp_path):
    prepare({"main.py": "def handler(context, event):\n    import os\n    return os.environ['THROUGH']\n"})
    chosen = tmp_path / "my-python"
    interpreter = (prepare.code / ".nuclio" / "interpreter").read_text().strip()
    chosen.write_text('#!/bin/sh\nTHROUGH=mine exec {0} "$@"\n'.format(interpreter))
    chosen.chmod(0o755)
    assert serve_one(prepare.code, environment={"NUCLIO_PYTHON_EXE_PATH": str(chosen)})[1].body() == b"mine"


@pytest.mark.parametrize(
    "files, handler, says",
    [
        ({"main.py": "x = 1\ndef f(:\n"}, "main:f", "main.py:2: invalid syntax, in: def f(:"),
        ({"pkg/sub.py": "x = = 1\n"}, "pkg.sub:f", "pkg/sub.py:1: invalid syntax, in: x = = 1"),
        ({"main.py": b"x = '\xff'\n"}, "main:f", "main.py"),
    ],
)
def test_a_slip_in_the_handler_is_told_with_file_and_line(prepare, files, handler, says):
    code, _, err = prepare(files, handler)
    assert code == 1
    assert says in err.splitlines()[-1]


def test_a_version_that_is_not_installed_is_told_with_what_to_do(prepare):
    code, _, err = prepare({"main.py": ""}, version="3.99")
    assert code == 1
    assert err.startswith("Python 3.99 is not installed here")
    assert "set spec.runtime to a version that is" in err


def test_requirements_are_installed_once_for_all_who_want_the_same(prepare):
    files = {"main.py": HANDLER_OF_DEMO, **DEMO}
    both = [prepare(files, start=True) for _ in range(2)]
    answers = [finished(process) for process in both]
    assert [answer[0] for answer in answers] == [0, 0], answers
    told = sorted(answer[1].splitlines()[0].split()[0] for answer in answers)
    assert told == ["Installing", "Requirements:"], "the second waited for the first and found its work"
    assert serve_one(prepare.code)[1].body() == b"demo"

    # The same folder after a build that was interrupted.
    (complete,) = prepare.cache.glob("python/*/complete")
    complete.unlink()
    shutil.rmtree(complete.parent / "lib")
    code, out, _ = prepare({})
    assert code == 0 and out.startswith("Installing")
    assert complete.exists()
    assert list(complete.parent.glob("lib/*/site-packages/demo.py"))


def test_all_that_the_requirements_say_makes_another_environment(tmp_path):
    spec = importlib.util.spec_from_file_location("prepare_program", RUNTIME / "prepare.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    wanted = [["-r", "requirements.txt"]]
    keys = set()
    for name, content in [
        ("requirements.txt", "one\n"),
        ("requirements.txt", "one\ntwo\n"),
        ("more.txt", "three\n"),
        ("requirements.txt", "one\n-r more.txt\n"),
        ("more.txt", "four\n"),
        ("requirements.txt", "one\n--constraint=more.txt\n"),
        ("requirements.txt", "--pre\n./lib\n"),
        ("lib/code.py", "x = 1\n"),
        ("lib/code.py", "x = 2\n"),
    ]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        keys.add(program.installs_key(str(tmp_path), wanted, "python"))
    assert len(keys) == 8, "all but the file that nothing includes yet"
    (tmp_path / "requirements.txt").write_text("# a remark\n\n--pre\n./lib\n")
    assert program.installs_key(str(tmp_path), wanted, "python") in keys
    keys.add(program.installs_key(str(tmp_path), [*wanted, ["demo"]], "python"))
    keys.add(program.installs_key(str(tmp_path), [["./lib"]], "python"))
    (tmp_path / "lib" / "code.py").write_text("x = 3\n")
    keys.add(program.installs_key(str(tmp_path), [["./lib"]], "python"))
    assert len(keys) == 11


def test_a_requirement_that_does_not_exist_is_named_and_leaves_nothing_that_counts(prepare):
    code, out, err = prepare({"main.py": "", "requirements.txt": "no-such-package==1.0\n"})
    assert code == 1
    assert "No matching distribution found for no-such-package==1.0" in err.splitlines()[-1]
    assert not list(prepare.cache.glob("python/*/complete"))


def test_an_editable_requirement_is_refused_with_the_reason(prepare):
    code, _, err = prepare({"main.py": "", "requirements.txt": "-e ./lib\n", "lib/pyproject.toml": ""})
    assert code == 1
    assert "-e lib: an editable requirement points into this one function's code" in err


def test_included_requirements_count_too(prepare):
    code, _, err = prepare({"main.py": "", "requirements.txt": "-r missing.txt\n"})
    assert code == 1
    assert "missing.txt cannot be read: No such file or directory" in err


def test_build_commands_that_install_packages_are_done_in_the_functions_own_environment(prepare):
    source = HANDLER_OF_DEMO
    files = {"main.py": source, "demo-1.0-py3-none-any.whl": wheel()}
    code, out, err = prepare(files, commands=["python3 -m pip install --no-deps ./demo-1.0-py3-none-any.whl"])
    assert (code, err) == (0, ""), out
    assert serve_one(prepare.code)[1].body() == b"demo"


@pytest.mark.parametrize(
    "command, says",
    [
        ("apt-get install -y ffmpeg", "build command `apt-get install -y ffmpeg` is not run here"),
        ("pip install demo && touch x", "only `pip install …` is understood"),
        ("pip uninstall demo", "only `pip install …` is understood"),
        ("pip install 'demo", "cannot be read: No closing quotation"),
    ],
)
def test_other_build_commands_are_refused_with_the_reason(prepare, command, says):
    code, _, err = prepare({"main.py": ""}, commands=[command])
    assert code == 1
    assert says in err.splitlines()[-1]


def test_for_an_image_nothing_names_a_place_of_this_machine(prepare, tmp_path):
    code, out, err = prepare({**DEMO, "main.py": HANDLER_OF_DEMO}, version="3.11", target="image")
    assert code == 0, err
    assert (prepare.code / ".nuclio/interpreter").read_text() == "python3\n"
    packages = (prepare.code / ".nuclio/packages").resolve()
    assert packages.is_relative_to(prepare.cache)
    compiled = list(packages.rglob("demo.cpython-311.pyc"))
    assert compiled and compiled[0].read_bytes()[4] == 1  # by hash, and not checked
    for path in packages.rglob("*"):
        if path.is_file() and path.suffix != ".json":  # pip writes down where a wheel came from
            assert str(tmp_path).encode() not in path.read_bytes(), path


def test_packages_of_an_image_are_found_by_the_worker_and_win_over_the_interpreters(prepare):
    code, _, err = prepare({**DEMO, "main.py": HANDLER_OF_DEMO}, version="3.11", target="image")
    assert code == 0, err
    assert serve_one(prepare.code, environment={"PATH": "/usr/local/bin:/usr/bin:/bin"})[1].body() == b"demo"


def test_packages_of_an_image_are_installed_once(prepare):
    assert prepare({**DEMO, "main.py": HANDLER_OF_DEMO}, version="3.11", target="image")[0] == 0
    (prepare.code / ".nuclio/packages").unlink()
    code, out, _ = prepare({"main.py": HANDLER_OF_DEMO + "# changed\n"}, version="3.11", target="image")
    assert code == 0
    assert "as installed before" in out


def test_an_image_of_another_python_needs_none_here_as_long_as_nothing_is_to_be_installed(prepare):
    assert prepare({"main.py": "def handler(context, event):\n    pass\n"}, version="3.99", target="image")[0] == 0
    code, _, err = prepare(DEMO, version="3.99", target="image")
    assert code == 1
    assert "the image has Python 3.99" in err and "install Python 3.99" in err


def test_a_slip_in_code_for_an_image_is_told_unless_its_python_is_newer(prepare):
    slip = {"main.py": "def handler(context, event)\n    pass\n"}
    code, _, err = prepare(slip, version="3.9", target="image")
    assert code == 1 and "main.py:1" in err
    assert prepare(slip, version="3.99", target="image")[0] == 0
