# SPDX-License-Identifier: Apache-2.0
"""A server that functions' code comes from: files, redirects, git repositories, and buckets that speak S3."""

import base64
import datetime
import gzip
import hashlib
import hmac
import http.server
import os
import pathlib
import subprocess
import threading
import urllib.parse

GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "tester@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Repository:
    """A bare repository below the server's git folder, with a work tree to write to."""

    def __init__(self, root, name, tree):
        self.tree = pathlib.Path(tree)
        self.tree.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("init", "-q", "--bare", "-b", "main", root / name)
        self.git("remote", "add", "origin", root / name)

    def git(self, *args):
        subprocess.run(["git", *map(str, args)], cwd=self.tree, env=GIT_ENVIRONMENT, check=True)

    def push(self, files, branch="main"):
        for name, text in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", ".")
        self.git("commit", "-qm", "change")
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")


class CodeServer:
    """`pages` maps a path to bytes, or to the text of a Location; `logins` a beginning of paths to what Authorization
    must be; `keys` the ids of S3's access keys to their secrets. `seen` are (path, Authorization) of all requests."""

    def __init__(self, folder):
        self.git_root = pathlib.Path(folder)
        self.pages, self.logins, self.keys, self.seen = {}, {}, {}, []
        self.region = "eu-test-1"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.handle(self)

            do_POST = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def handle(self, request):
        path = request.path.partition("?")[0]
        login = request.headers.get("Authorization", "")
        self.seen.append((request.path, login))
        needed = next((value for begin, value in self.logins.items() if path.startswith(begin)), None)
        if needed and login != needed:
            answer(request, 401, b"", {"WWW-Authenticate": 'Basic realm="code"'})
        elif path.startswith("/git/"):
            self.git(request)
        elif path.startswith("/s3/"):
            self.s3(request, login)
        elif path not in self.pages:
            answer(request, 404, b"not here")
        elif isinstance(self.pages[path], str):
            answer(request, 302, b"", {"Location": self.pages[path]})
        else:
            answer(request, 200, self.pages[path])

    def git(self, request):
        """As the manual of git-http-backend says a server is to call it."""
        path, _, query = request.path.partition("?")
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        environment = {
            **GIT_ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.git_root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": urllib.parse.unquote(path.removeprefix("/git")),
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        out = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment).stdout
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        answer(request, int(headers.pop("Status", "200 OK").split()[0]), body, headers)

    def s3(self, request, login):
        """What is below /s3/private/ wants a signature, which is computed anew from what came over the wire."""
        path = urllib.parse.unquote(request.path)
        if path.startswith("/s3/private/") and self.complaint(request, login):
            error = f"<Error><Code>{self.complaint(request, login)}</Code><Message>no</Message></Error>"
            answer(request, 403, error.encode(), {"x-amz-bucket-region": self.region})
        elif path not in self.pages:
            answer(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            answer(request, 200, self.pages[path])

    def complaint(self, request, login):
        if not login.startswith("AWS4-HMAC-SHA256 "):
            return "AccessDenied"
        parts = dict(part.strip().split("=", 1) for part in login.removeprefix("AWS4-HMAC-SHA256 ").split(","))
        key_id, day, region, service, last = parts["Credential"].split("/")
        when = request.headers["x-amz-date"]
        sent = datetime.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs(datetime.datetime.now(datetime.timezone.utc) - sent) > datetime.timedelta(minutes=15):
            return "RequestTimeTooSkewed"
        if key_id not in self.keys:
            return "InvalidAccessKeyId"
        if (day, region, service, last) != (when[:8], self.region, "s3", "aws4_request"):
            return "AuthorizationHeaderMalformed"
        names = parts["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names):
            return "AccessDenied"
        path, _, query = request.path.partition("?")
        canonical = "\n".join(
            [
                request.command,
                urllib.parse.quote(urllib.parse.unquote(path), safe="/-_.~"),
                query,
                *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
                "",
                ";".join(names),
                hashlib.sha256(b"").hexdigest(),
            ]
        )
        scope = f"{day}/{region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = ("AWS4" + self.keys[key_id]).encode()
        for part in (day, region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        expected = hmac.new(key, text.encode(), "sha256").hexdigest()
        return "" if hmac.compare_digest(expected, parts["Signature"]) else "SignatureDoesNotMatch"


def answer(request, status, body, headers=None):
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
