# SPDX-License-Identifier: Apache-2.0
"""Functions whose code is elsewhere: behind a URL, in an archive, a repository, a bucket."""

import base64
import io
import json
import os
import pathlib
import shutil
import tarfile
import zipfile

import code_server
import pytest
import running

SECRET = "c4nary-hush"
KEY_ID = "AKIATESTER"


def handler(answer):
    return f"import os\n\n\ndef handler(context, event):\n    return {answer!r} + os.environ.get('SUFFIX', '')\n"


FUNCTION_YAML = """
metadata:
  labels: {team: blue}
spec:
  handler: story:handler
  runtime: python
  env: [{name: SUFFIX, value: " with config"}]
"""


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def tarred(files, compression="gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{compression}") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            if text.startswith("-> "):
                info.type, info.linkname = tarfile.SYMTYPE, text[3:]
                archive.addfile(info)
            else:
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = code_server.CodeServer(tmp_path_factory.mktemp("repositories"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def git_arguments(tmp_path_factory):
    return tmp_path_factory.mktemp("git") / "arguments"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory, git_arguments):
    """A dashboard whose git writes down what it is told, as anybody on the machine may read it."""
    board = running.Dashboard(tmp_path_factory.mktemp("home") / "nuclio")
    program = git_arguments.parent / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{git_arguments}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    board.environment["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    yield board.start()
    board.stop()


def put(dashboard, name, build, **spec):
    """Deploys by the REST API and waits for the end: the answer."""
    body = {"metadata": {"name": name, "namespace": "nuclio"}, "spec": {"build": build, **spec}}
    return dashboard.api("PUT", f"/functions/{name}", body, {"X-Nuclio-Wait-Function-Action": "true"})


def invoke(dashboard, name):
    answer = running.request(dashboard.url(name))
    assert answer.status == 200, answer
    return answer.text


def deployed(dashboard, name, build, **spec):
    answer = put(dashboard, name, build, **spec)
    assert answer.status == 202, answer
    return invoke(dashboard, name)


def test_nuctl_deploys_a_file_by_its_url(dashboard, server):
    server.pages["/story.py"] = handler("from a file").encode()
    dashboard.deploy("file-url", server.url + "/story.py")
    assert invoke(dashboard, "file-url") == "from a file"
    assert dashboard.function("file-url")["spec"]["build"]["path"] == server.url + "/story.py"
    # The URL stays what the code is: deployed again, it is got again.
    server.pages["/story.py"] = handler("from a newer file").encode()
    assert deployed(dashboard, "file-url", {"path": server.url + "/story.py"}) == "from a newer file"


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_nuctl_deploys_an_archive_by_its_url_with_the_configuration_in_it(dashboard, server, kind):
    files = {"story.py": handler("from an archive"), "function.yaml": FUNCTION_YAML}
    data = zipped(files) if kind == "zip" else tarred(files, kind.partition(".")[2])
    server.pages[f"/code.{kind}"] = data
    name = "archive-" + kind.replace(".", "-")
    dashboard.deploy(name, f"{server.url}/code.{kind}")
    assert invoke(dashboard, name) == "from an archive with config"
    assert dashboard.function(name)["metadata"]["labels"]["team"] == "blue"


def test_nuctl_deploys_an_archive_of_this_machine(dashboard, tmp_path):
    (tmp_path / "code.zip").write_bytes(zipped({"sub/story.py": handler("from a zip")}))
    dashboard.deploy("local-zip", tmp_path / "code.zip", "--build-code-entry-attrs", '{"workDir": "/sub"}')
    assert invoke(dashboard, "local-zip") == "from a zip"


def test_headers_and_a_work_dir_are_used_for_an_archive(dashboard, server):
    server.pages["/login/code.tgz"] = tarred({"a/b/story.py": handler("from a folder")})
    server.logins["/login/"] = f"Bearer {SECRET}"
    build = {"codeEntryType": "archive", "path": server.url + "/login/code.tgz"}
    attributes = {"headers": {"Authorization": f"Bearer {SECRET}"}, "workDir": "a/b"}
    assert deployed(dashboard, "with-login", {**build, "codeEntryAttributes": attributes}) == "from a folder"
    refused = put(dashboard, "no-login", build)
    assert refused.status == 500 and "refuses us (status 401)" in refused.json["error"], refused


def test_github_gives_a_branch_with_its_folder(dashboard, server):
    files = {"repo-main/f/story.py": handler("from github"), "repo-main/f/function.yaml": FUNCTION_YAML}
    server.pages["/org/repo/archive/main.zip"] = zipped(files)
    build = {"codeEntryType": "github", "path": server.url + "/org/repo"}
    attributes = {"branch": "main", "workDir": "/f"}
    assert deployed(dashboard, "github", {**build, "codeEntryAttributes": attributes}) == "from github with config"


@pytest.fixture(scope="module")
def repository(server, tmp_path_factory):
    repository = code_server.Repository(server.git_root, "story.git", tmp_path_factory.mktemp("tree") / "story")
    repository.push({"story.py": handler("from main"), "deep/er/story.py": handler("from below")})
    repository.git("tag", "v1")
    repository.git("push", "-q", "origin", "v1")
    repository.push({"story.py": handler("from side")}, branch="side/road")
    repository.git("reset", "-q", "--hard", "v1")
    return repository


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"branch": "main"}, "from main"),
        ({"branch": "side/road"}, "from side"),
        ({"tag": "v1"}, "from main"),
        ({"reference": "refs/heads/side/road"}, "from side"),
        ({"branch": "main", "workDir": "/deep/er"}, "from below"),
    ],
)
def test_git_gives_a_reference_and_a_folder(dashboard, server, repository, attributes, expected):
    build = {"codeEntryType": "git", "path": server.url + "/git/story.git", "codeEntryAttributes": attributes}
    assert deployed(dashboard, "git", build) == expected


def test_nuctl_deploys_from_git_what_is_there_by_then(dashboard, server, tmp_path):
    repository = code_server.Repository(server.git_root, "growing.git", tmp_path / "growing")
    flags = ["--code-entry-type", "git", "--build-code-entry-attrs", '{"branch": "main"}']
    for version in ("one", "two"):
        repository.push({"story.py": handler(version)})
        dashboard.deploy("growing", server.url + "/git/growing.git", *flags)
        assert invoke(dashboard, "growing") == version
    missing = dashboard.nuctl(
        "deploy", "growing", "--path", server.url + "/git/growing.git", *flags[:3], '{"tag": "no"}'
    )
    assert missing.returncode == 1 and 'growing.git has no tag "no"' in missing.stdout + missing.stderr, missing
    assert invoke(dashboard, "growing") == "two"


def test_git_takes_a_login_which_is_found_nowhere_else(dashboard, server, repository, git_arguments):
    shutil.copytree(server.git_root / "story.git", server.git_root / "private" / "story.git")
    server.logins["/git/private/"] = code_server.basic("me", SECRET)
    build = {"codeEntryType": "git", "path": server.url + "/git/private/story.git"}
    attributes = {"branch": "main", "username": "me", "password": SECRET}
    assert deployed(dashboard, "private", {**build, "codeEntryAttributes": attributes}) == "from main"
    for wrong in ({}, {"username": "me", "password": SECRET + "!"}):
        refused = put(dashboard, "private", {**build, "codeEntryAttributes": {"branch": "main", **wrong}})
        assert refused.status == 500 and "refuses us (status 401)" in refused.json["error"], refused
        assert SECRET not in refused.text
    assert invoke(dashboard, "private") == "from main"

    assert "fetch" in git_arguments.read_text()
    hidden = [text.encode() for text in (SECRET, base64.b64encode(f"me:{SECRET}".encode()).decode())]
    logs = json.dumps(dashboard.function("private")["status"]).encode()
    seen = [path for path in dashboard.home.rglob("*") if path.is_file() and not path.name.startswith("state.db")]
    for place, data in [("status", logs), *((path, path.read_bytes()) for path in [git_arguments, *seen])]:
        assert not any(text in data for text in hidden), place
    assert not list(dashboard.home.rglob(".git")) and not list(dashboard.home.rglob("fetched"))


def s3_build(server, key="folder/code 1.zip", **attributes):
    attributes = {"s3Bucket": "private", "s3ItemKey": key, "s3Endpoint": server.url + "/s3", **attributes}
    return {"codeEntryType": "s3", "codeEntryAttributes": attributes}


def test_s3_gives_an_object_for_a_signature(dashboard, server):
    server.pages["/s3/private/folder/code 1.zip"] = zipped({"story.py": handler("from a bucket")})
    server.keys[KEY_ID] = SECRET
    login = {"s3AccessKeyId": KEY_ID, "s3SecretAccessKey": SECRET, "s3Region": server.region}
    code = {"runtime": "python", "handler": "story:handler"}
    assert deployed(dashboard, "bucket", s3_build(server, **login), **code) == "from a bucket"
    assert deployed(dashboard, "bucket", s3_build(server, s3SessionToken="a/b+c=", **login), **code) == "from a bucket"
    for changed, says in [
        ({"s3SecretAccessKey": SECRET + "!"}, "SignatureDoesNotMatch"),
        ({"s3AccessKeyId": "AKIAOTHER"}, "InvalidAccessKeyId"),
        ({"s3Region": "us-test-9"}, f"the bucket is in region {server.region}, set s3Region to that"),
        ({"s3ItemKey": "no"}, "NoSuchKey"),
    ]:
        refused = put(dashboard, "bucket", s3_build(server, **{**login, **changed}), **code)
        assert refused.status == 500 and says in refused.json["error"], refused
        assert SECRET not in refused.text


def test_s3_gives_an_object_that_anyone_may_read(dashboard, server):
    server.pages["/s3/open/code.tgz"] = tarred({"story.py": handler("for all"), "function.yaml": FUNCTION_YAML})
    build = s3_build(server, "code.tgz", s3Bucket="open")
    assert deployed(dashboard, "open-bucket", build) == "for all with config"


def test_what_comes_with_the_code_does_not_say_where_the_code_is(dashboard, server):
    config = (
        FUNCTION_YAML + f"  build: {{codeEntryType: git, codeEntryAttributes: {{s3Endpoint: {server.url}/steal}}}}\n"
    )
    server.pages["/sly.zip"] = zipped({"story.py": handler("sly"), "function.yaml": config})
    assert deployed(dashboard, "sly", {"path": server.url + "/sly.zip"}) == "sly with config"
    build = dashboard.function("sly")["spec"]["build"]
    assert "codeEntryType" not in build and "codeEntryAttributes" not in build, build


# What is in the archive, and words of the answer.
HOSTILE = {
    "zip slip": (zipped({"../../evil.py": "x"}), 'must not have ".."'),
    "absolute name": (zipped({"/tmp/evil.py": "x"}), "must be relative"),
    "link out": (tarred({"story.py": "-> /etc/passwd"}), "leads out of the function's folder"),
    "configuration by a link": (tarred({"function.yaml": "-> /etc/passwd", "story.py": "x"}), "leads out"),
    "bomb": (zipped({"zeros": "\0" * (128 << 20)}), "times its size, as only an attack does"),
    "no archive": (b"text", "must be a zip, or a tar"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_and_the_old_version_goes_on(dashboard, server, what):
    if not any(page == "/good.zip" for page in server.pages):
        server.pages["/good.zip"] = zipped({"story.py": handler("good")})
        assert deployed(dashboard, "attacked", {"path": server.url + "/good.zip"}) == "good"
    data, says = HOSTILE[what]
    server.pages["/evil.zip"] = data
    refused = put(dashboard, "attacked", {"codeEntryType": "archive", "path": server.url + "/evil.zip"})
    assert refused.status == 500 and says in refused.json["error"], refused
    assert "root:" not in refused.text and str(dashboard.home) not in refused.text
    assert invoke(dashboard, "attacked") == "good"
    assert dashboard.function("attacked")["status"]["state"] == "error"


@pytest.mark.parametrize(
    ("build", "says"),
    [
        ({"path": "file:///etc/passwd"}, "must be a URL of http or https"),
        ({"path": "https://me:hush@example.com/code.zip"}, "user name"),
        ({"codeEntryType": "git", "path": "--upload-pack=touch /tmp/x"}, "must be a repository's URL"),
        ({"codeEntryType": "git", "path": "ext::sh -c id"}, "must be a repository's URL"),
        ({"codeEntryType": "image"}, "only a platform with containers"),
        ({"codeEntryType": "s3"}, "s3Bucket must be"),
    ],
)
def test_what_can_be_told_at_once_is_refused_at_once(dashboard, build, says):
    refused = put(dashboard, "refused", build, runtime="python", handler="story:handler")
    assert refused.status == 400 and says in refused.json["error"], refused
    assert dashboard.api("GET", "/functions/refused").status == 404


def test_a_redirect_leads_nowhere_but_where_everybody_may_go(dashboard, server, tmp_path):
    other = code_server.CodeServer(tmp_path)
    other.pages["/code.zip"] = zipped({"story.py": handler("secret")})
    server.pages["/go.zip"] = other.url + "/code.zip"
    server.pages["/git-away/info/refs"] = other.url + "/git/x/info/refs?service=git-upload-pack"
    for build in (
        {"codeEntryType": "archive", "path": server.url + "/go.zip"},
        {"codeEntryType": "git", "path": server.url + "/git-away"},
    ):
        refused = put(dashboard, "led-astray", build)
        assert refused.status == 500 and "leads to an address that only this machine reaches" in refused.json["error"]
    assert other.seen == []
    other.stop()


def test_a_platform_may_forbid_sources_of_its_own_machine(server, repository, tmp_path):
    (tmp_path / "platform.yaml").write_text("builder: {localSources: false}\n")
    board = running.Dashboard(tmp_path / "home")
    board.flags = ["--platform-config", tmp_path / "platform.yaml"]
    before = len(server.seen)
    try:
        board.start()
        for status, build in [
            (500, {"path": server.url + "/story.py"}),
            (500, {"codeEntryType": "git", "path": server.url + "/git/story.git"}),
            (500, s3_build(server)),
            (403, {"path": str(pathlib.Path(__file__))}),
            (403, {"codeEntryType": "git", "path": str(server.git_root / "story.git")}),
            (403, {"codeEntryType": "git", "path": "git@127.0.0.1:story.git"}),
        ]:
            refused = put(board, "stranger", build, runtime="python", handler="story:handler")
            assert refused.status == status, refused
            assert ("only this machine reaches" if status == 500 else "localSources") in refused.json["error"]
    finally:
        board.stop()
    assert len(server.seen) == before
