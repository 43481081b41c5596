# SPDX-License-Identifier: Apache-2.0
"""Makes a Python function's code ready to run, with the interpreter that is to run it.

Checks the handler's syntax, installs requirements.txt into a virtual environment that is kept for the next function
with the same ones, and writes <out>/interpreter, the path that `worker` starts. What it does is told on standard output
for the build log; a failure is the last line of standard error.

It is started with -I -S: nothing of the machine's Python configuration plays a part, and a function without
requirements is ready in a few hundredths of a second. What costs an import is imported where it is needed.
"""

import os
import sys

_MAX_INCLUDED_FILES = 32
_MAX_LOCAL_FILES = 2000
_INCLUDE = ("-r", "-c", "--requirement", "--constraint")


class Failed(Exception):
    """Says what, where and what to do, in one line."""


def main(arguments):
    options = dict(zip(arguments[::2], arguments[1::2]))
    code, out, cache = options["--code"], options["--out"], options["--cache"]
    try:
        if options.get("--target") == "image":
            prepare_for_image(code, out, os.path.join(cache, "python-image"), options)
            return 0
        check_syntax(code, options["--handler"])
        installs = wanted_installs(code, options.get("--commands"))
        python = environment_for(code, installs, os.path.join(cache, "python")) if installs else sys.executable
        write_whole(os.path.join(out, "interpreter"), python + "\n")
        print("Python {0}.{1}.{2}: {3}".format(*sys.version_info[:3], python))
    except Failed as failure:
        sys.stdout.flush()
        sys.stderr.write("{0}\n".format(failure))
        return 1
    return 0


def prepare_for_image(code, out, cache, options):
    """The image brings its interpreter, and packages lie in a folder beside the code rather than in a virtual
    environment, whose programs would name this machine's places."""
    version = options.get("--version", "")
    if not version or tuple(map(int, version.split("."))) <= sys.version_info[:2]:
        check_syntax(code, options["--handler"])  # a newer Python's syntax would be taken for a slip
    installs = wanted_installs(code, options.get("--commands"))
    if installs:
        packages = packages_for(code, installs, cache, version)
        os.symlink(packages, os.path.join(out, "packages"))
    write_whole(os.path.join(out, "interpreter"), "python3\n")


def check_syntax(code, handler):
    """Compiles the handler's file, so that a slip is told by the build rather than by the first worker."""
    module = handler.partition(":")[0]
    path = os.path.join(code, *module.split(".")) + ".py"
    if not os.path.exists(path):
        return  # a package or a module from the requirements; the worker will tell
    with open(path, "rb") as file:
        source = file.read()
    try:
        compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise Failed(
            "{0}:{1}: {2}{3}".format(
                os.path.relpath(path, code), error.lineno, error.msg, ", in: " + line if line else ""
            )
        ) from None
    except ValueError as error:
        raise Failed("{0}: {1}".format(os.path.relpath(path, code), error)) from None


def wanted_installs(code, commands):
    """What is to be installed, as the arguments of one `pip install` each: requirements, then build commands."""
    installs = []
    requirements = os.path.join(code, "requirements.txt")
    if os.path.exists(requirements) and requirement_lines(requirements):
        installs.append(["-r", "requirements.txt"])
    if commands:
        with open(commands, encoding="utf-8") as file:
            for line in file:
                installs += installs_of_command(line.strip())
    return installs


def installs_of_command(command):
    """Build commands were made for the inside of an image. Here they would change the machine, so only what has a place
    of the function's own is done: `pip install …`, also several joined with &&."""
    import shlex

    installs = []
    try:
        words = shlex.split(command, comments=True)
    except ValueError as error:
        raise Failed("build command `{0}` cannot be read: {1}".format(command, error)) from None
    while words:
        end = words.index("&&") if "&&" in words else len(words)
        one, words = words[:end], words[end + 1 :]
        if one[1:3] == ["-m", "pip"] and os.path.basename(one[0]).startswith("python"):
            one = one[2:]
        if len(one) < 3 or not os.path.basename(one[0]).startswith("pip") or one[1] != "install":
            raise Failed(
                "build command `{0}` is not run here, since it would change this machine; only `pip install …` is "
                "understood: install what it brings yourself and leave it out".format(command)
            )
        installs.append(one[2:])
    return installs


def requirement_lines(path):
    """The lines that ask for something."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file]
    return [line for line in lines if line and not line.startswith("#")]


def installs_key(code, installs, interpreter):
    """Changes with the interpreter and all that is asked for, in included files and local packages too."""
    import hashlib

    key = hashlib.sha256()
    key.update(interpreter.encode() + b"\0")
    included = []
    for arguments in installs:
        key.update("\0".join(arguments).encode("utf-8", "replace") + b"\n")
        for flag, argument in zip(["", *arguments], arguments):
            if flag in _INCLUDE:
                included.append(os.path.join(code, argument))
            elif os.path.exists(os.path.join(code, argument)):
                add_content(key, flag, os.path.join(code, argument))
    seen = set()
    while included:
        path = os.path.realpath(included.pop())
        if path in seen:
            continue
        seen.add(path)
        if len(seen) > _MAX_INCLUDED_FILES:
            raise Failed("more than {0} files of requirements are included with -r or -c".format(_MAX_INCLUDED_FILES))
        try:
            lines = requirement_lines(path)
        except OSError as error:
            raise Failed("the requirements in {0} cannot be read: {1}".format(path, error.strerror)) from None
        for line in lines:
            key.update(line.encode("utf-8", "replace") + b"\n")
            flag, rest = flag_of(line)
            named = os.path.join(os.path.dirname(path), rest)
            if flag in _INCLUDE:
                included.append(named)
            elif rest and os.path.exists(named):
                add_content(key, flag, named)
        key.update(b"\0")
    return key.hexdigest()[:32]


def flag_of(line):
    """("-r", "other.txt") of "-r other.txt" and its other spellings, ("", "./lib") of a line without a flag."""
    words = line.replace("=", " ", 1).split() if line.startswith("--") else line.split()
    if not line.startswith("-"):
        return "", words[0]
    if line.startswith(("-e", "-r", "-c")) and not words[0][2:] or line.startswith("--"):
        return words[0], words[1] if len(words) > 1 else ""
    return words[0][:2], words[0][2:]


def add_content(key, flag, path):
    """A wheel or a folder that is to be installed: its content counts, not only its name."""
    import functools

    if flag in ("-e", "--editable"):
        raise Failed(
            "{0} {1}: an editable requirement points into this one function's code and cannot be kept for the next "
            "deploy; leave out {0}".format(flag, os.path.basename(path))
        )
    files = [path]
    if os.path.isdir(path):
        files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    if len(files) > _MAX_LOCAL_FILES:
        raise Failed("{0}, which is to be installed, has more than {1} files".format(path, _MAX_LOCAL_FILES))
    for name in files:
        key.update(os.path.relpath(name, path).encode("utf-8", "surrogateescape") + b"\0")
        with open(name, "rb") as file:
            for block in iter(functools.partial(file.read, 1 << 20), b""):
                key.update(block)


def environment_for(code, installs, cache):
    """The interpreter of a virtual environment that has the requirements; made unless there is one.

    It is made where it stays, since the programs in a virtual environment name its path."""
    key = installs_key(code, installs, " ".join((sys.version, sys.base_prefix, sys.executable)))
    folder = os.path.join(cache, key)
    python = os.path.join(folder, "bin", "python")
    made_once(folder, lambda: make_environment(folder, python, code, installs))
    return python


def packages_for(code, installs, cache, version):
    """A folder with the packages for an interpreter of the version; made, with one of this machine, unless there is
    one."""
    python = interpreter_for_packages(version)
    folder = os.path.join(cache, installs_key(code, installs, ask(python, "import sys; print(sys.version)")))
    made_once(folder, lambda: make_packages(folder, python, code, installs))
    return os.path.join(folder, "packages")


def interpreter_for_packages(version):
    """Which packages, and which of their files, depends on the version of the interpreter that asks for them."""
    import subprocess

    here = os.path.dirname(os.path.abspath(__file__))
    script = '. "$1/find_python.sh" && find_python "$2" && echo "$python"'
    found = subprocess.run(
        ["sh", "-c", script, "sh", here, version], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
    )
    if found.returncode != 0:
        raise Failed(
            "the image has Python {0}, and to install the function's packages for it the same is needed here; install "
            "Python {0}, choose another spec.build.baseImage, or leave out requirements.txt and install with "
            "spec.build.commands, which run in the image".format(version)
        )
    return found.stdout.strip()


def ask(python, question):
    import subprocess

    return subprocess.run(
        [python, "-I", "-S", "-c", question], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
    ).stdout.strip()


def made_once(folder, make):
    """What makes a folder count is the file `complete`, written last: without it the folder is a leftover of an
    interrupted build and is made anew. The lock lets one of several builds make it while the others wait."""
    import fcntl

    complete = os.path.join(folder, "complete")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(complete):
            print("Requirements: as installed before, in {0}".format(folder))
            return
        make()
        write_whole(complete, "")


def make_environment(folder, python, code, installs):
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    print("Installing into a new virtual environment", flush=True)
    pip = own_pip(sys.executable)
    make_venv(sys.executable, folder, with_pip=not pip)
    pip = [*pip, "--python", python] if pip else [python, "-m", "pip"]
    for arguments in installs:
        install(pip, code, arguments)


def make_venv(interpreter, folder, with_pip):
    import subprocess

    made = subprocess.run(
        [interpreter, "-m", "venv", *([] if with_pip else ["--without-pip"]), folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if made.returncode != 0:
        print(made.stdout, flush=True)
        raise Failed(
            "{0} cannot make a virtual environment for the requirements; on Debian, install python3-venv".format(
                interpreter
            )
        )


def make_packages(folder, python, code, installs):
    import shutil
    import subprocess

    shutil.rmtree(folder, ignore_errors=True)
    packages, venv = os.path.join(folder, "packages"), os.path.join(folder, "venv")
    print("Installing packages for the image", flush=True)
    pip = own_pip(python)
    if not pip:
        make_venv(python, venv, with_pip=True)
        pip = [os.path.join(venv, "bin", "python"), "-m", "pip"]
    for arguments in installs:
        install(pip, code, arguments, ("--target", packages, "--no-compile", "--upgrade"))
    shutil.rmtree(venv, ignore_errors=True)
    os.makedirs(packages, exist_ok=True)
    use_interpreter_of_image(os.path.join(packages, "bin"))
    # An image's files have no times to compare with, so what is compiled counts as it is.
    quiet = ["-q", "--invalidation-mode", "unchecked-hash", "-s", packages, "-p", "/opt/nuclio/.nuclio/packages"]
    subprocess.run(
        [python, "-I", "-m", "compileall", *quiet, packages],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # files in templates of packages that are no Python
    )


def use_interpreter_of_image(folder):
    """pip names the interpreter that ran it in the first line of the programs that it makes."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            first, newline, rest = file.read().partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            with open(path, "wb") as file:
                file.write(b"#!/usr/bin/env python3" + newline + rest)


def install(pip, code, arguments, options=()):
    import shlex
    import subprocess

    what = shlex.join(["pip", "install", *arguments])
    print(what, flush=True)
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    process = subprocess.Popen(
        [*pip, "install", *quiet, *options, *arguments],
        cwd=code,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},  # it is our own environment: root's warning is noise
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    errors = []
    for line in process.stdout:
        print(line, end="", flush=True)
        if line.startswith("ERROR: "):
            errors.append(line[len("ERROR: ") :].strip())
    if process.wait() != 0:
        reason = errors[-1] if errors else "pip exited with code {0}".format(process.returncode)
        raise Failed("`{0}` failed: {1}; correct it, or see pip's lines above".format(what, reason))


def own_pip(python):
    """An interpreter's pip as a command, when it is new enough to install into another environment: then the
    environment needs none of its own, which saves seconds. None otherwise."""
    import subprocess

    asked = subprocess.run(
        [python, "-m", "pip", "--version"], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
    )
    words = asked.stdout.split()
    if asked.returncode == 0 and len(words) > 1:
        major, minor = (words[1] + ".0").split(".")[:2]
        if major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= (22, 3):
            return [python, "-m", "pip"]
    return None


def write_whole(path, text):
    """Nobody ever reads half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = "{0}.{1}".format(path, os.getpid())
    with open(temporary, "w") as file:
        file.write(text)
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
