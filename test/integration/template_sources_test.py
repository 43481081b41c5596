# SPDX-License-Identifier: Apache-2.0
"""Templates that an operator keeps in a git repository or in a zip."""

import base64
import io
import shutil
import ssl
import threading
import zipfile

import certificates
import code_server
import pytest
import running

SECRET = "c4nary-hush"
OWN = sorted(path.name for path in (running.SOURCE / "examples" / "templates").iterdir() if path.is_dir())
TEMPLATE = """metadata:
  name: NAME
spec:
  handler: main:handler
  runtime: python
  env: [{name: WORD, value: {{ .word }}}]
  triggers: {web: {kind: http}}
  build:
    functionSourceCode: {{ .SourceCode }}
"""
VALUES = "word: {displayName: Word, kind: string, attributes: {defaultValue: fine}}\n"
CODE = "import os\n\n\ndef handler(context, event):\n    return 'NAME is ' + os.environ['WORD']\n"


def template(folder, name):
    files = {"function.yaml.template": TEMPLATE, "function.yaml.values": VALUES, "main.py": CODE}
    return {f"{folder}/{name}/{file}": text.replace("NAME", name) for file, text in files.items()}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.fixture
def server(tmp_path):
    server = code_server.CodeServer(tmp_path / "repositories")
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path):
    """start(flags, **environment) starts a dashboard whose git writes down what it is told."""
    started = []

    def start(flags=(), **environment):
        board = running.Dashboard(tmp_path / "nuclio")
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        arguments = tmp_path / "arguments"
        program.write_text(f'#!/bin/sh\necho "$@" >>{arguments}\nexec {shutil.which("git")} "$@"\n')
        program.chmod(0o755)
        board.environment |= {"PATH": f"{program.parent}:{board.environment['PATH']}", **environment}
        board.flags = list(flags)
        started.append(board.start())
        return board

    yield start
    for board in started:
        board.stop()


def templates(board):
    answer = board.api("GET", "/function_templates")
    assert answer.status == 200, answer
    return answer.json


def answer_of(board, name, **values):
    given = {"template": templates(board)[name]["template"], "values": {"word": "fine", **values}}
    function = board.api("POST", "/function_templates/render", given)
    assert function.status == 200, function
    deployed = board.api("POST", "/functions", function.json, {"X-Nuclio-Wait-Function-Action": "true"})
    assert deployed.status == 202, f"{deployed}\n{board.log[-3000:]}"
    return running.request(board.url(name)).text


def test_templates_of_a_repository_are_rendered_and_deployed(server, start, tmp_path):
    server.logins["/git/private.git"] = code_server.basic("ada", SECRET)
    repository = code_server.Repository(server.git_root, "private.git", tmp_path / "tree")
    repository.push({**template("python/deep", "theirs"), **template(".", "top"), "README.md": "# Ours"})
    repository.push({**template("python", "not-there-yet")}, branch="next")
    board = start(
        ["--templates-git-repository", f"{server.url}/git/private.git", "--templates-git-ref=refs/heads/main"],
        NUCLIO_TEMPLATES_GIT_USERNAME="ada",
        NUCLIO_TEMPLATES_GIT_PASSWORD=SECRET,
    )
    assert not server.seen, "nobody is asked before templates are asked for"
    assert sorted(templates(board)) == sorted([*OWN, "theirs", "top"])
    assert answer_of(board, "theirs", word="good") == "theirs is good"
    asked = len(server.seen)
    assert asked and sorted(templates(board)) == sorted([*OWN, "theirs", "top"])
    assert len(server.seen) == asked, "what was got is kept for a while"
    told = (tmp_path / "arguments").read_text()
    assert "/git/private.git" in told
    for text in (SECRET, base64.b64encode(f"ada:{SECRET}".encode()).decode()):
        for place in (told, board.log, str(templates(board))):
            assert text not in place


def test_a_repository_of_another_authority_is_read_with_a_token(start, tmp_path):
    server = code_server.CodeServer(tmp_path / "repositories")
    authority = certificates.write(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, authority.with_name("tls.key"))
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    server.logins["/git/"] = code_server.basic("x-access-token", SECRET)
    code_server.Repository(server.git_root, "t.git", tmp_path / "tree").push(template("all", "theirs"))
    try:
        board = start(
            [f"-templates-git-repository={server.url.replace('http:', 'https:')}/git/t.git"],
            NUCLIO_TEMPLATES_GITHUB_ACCESS_TOKEN=SECRET,
            NUCLIO_TEMPLATES_GIT_CA_CERT_CONTENTS=base64.urlsafe_b64encode(authority.read_bytes()).decode(),
        )
        assert sorted(templates(board)) == sorted([*OWN, "theirs"]), board.log[-2000:]
    finally:
        server.stop()
    assert SECRET not in (tmp_path / "arguments").read_text() + board.log


@pytest.mark.parametrize("by", ["file", "http"])
def test_templates_of_a_zip_stand_beside_those_of_the_program_and_count(server, start, tmp_path, by):
    files = {**template("root", "theirs"), **template("root", "helloworld"), **template("root/deeper", "too-deep")}
    packed = zipped(files)
    (tmp_path / "templates.zip").write_bytes(packed)
    server.pages["/templates.zip"] = packed
    address = f"file://{tmp_path}/templates.zip" if by == "file" else f"{server.url}/templates.zip?token={SECRET}"
    board = start(NUCLIO_TEMPLATES_ARCHIVE_ADDRESS=address, NUCLIO_TEMPLATES_GIT_REPOSITORY="nil")
    assert sorted(templates(board)) == sorted([*OWN, "theirs"])
    assert answer_of(board, "helloworld", word="new") == "helloworld is new"
    assert (tmp_path / "templates.zip").exists()
    assert SECRET not in board.log


def test_sources_that_fail_cost_nobody_the_others(server, start, tmp_path):
    server.pages["/templates.zip"] = zipped(template("root", "theirs"))
    board = start(
        [
            *("--templates-git-repository", f"{server.url}/git/none.git"),
            *("--templates-archive-address", f"{server.url}/templates.zip"),
        ]
    )
    assert sorted(templates(board)) == sorted([*OWN, "theirs"])
    assert f"{server.url}/git/none.git is not there, or needs a login" in board.log
    assert "--templates-git-username" in board.log


def test_a_bomb_is_not_unpacked(server, start):
    server.pages["/templates.zip"] = zipped({"root/big/main.py": "0" * (100 << 20)})
    board = start(["--templates-archive-address", f"{server.url}/templates.zip"])
    assert sorted(templates(board)) == OWN
    assert "Could not get templates" in board.log


def test_an_answer_that_never_comes_keeps_nobody_for_long(server, start):
    over = threading.Event()
    asked = []

    def wait(request):
        asked.append(request.path)
        over.wait(60)

    server.handle = wait
    board = start(["--templates-archive-address", f"{server.url}/templates.zip"])
    try:
        assert sorted(templates(board)) == OWN
        assert asked == ["/templates.zip"]
        assert board.api("GET", "/versions").status == 200
    finally:
        over.set()


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--templates-git-repository=ftp://host/x", "--templates-git-repository must be a repository's URL"),
        ("--templates-archive-address=templates.zip", "--templates-archive-address: a URL must begin with"),
    ],
)
def test_what_cannot_be_a_source_is_said_at_the_start(tmp_path, flag, says):
    board = running.Dashboard(tmp_path / "nuclio")
    board.flags = [flag]
    with pytest.raises(AssertionError, match=says):
        board.start()
    board.process.wait(30)
