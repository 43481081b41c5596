# SPDX-License-Identifier: Apache-2.0
"""A small OpenID provider, which logs everybody in whom the test names and holds the dashboard to the flow."""

import base64
import hashlib
import http.server
import json
import pathlib
import subprocess
import threading
import time
import urllib.parse


def encode(data):
    return (
        base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()
    )


class Key:
    """RSA, by the openssl program."""

    def __init__(self, folder, name):
        self.name = name
        self.file = pathlib.Path(folder) / f"{name}.pem"
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.file]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        command = ["openssl", "rsa", "-in", self.file, "-noout", "-modulus"]
        text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
        self.modulus = bytes.fromhex(text.strip().removeprefix("Modulus="))

    def jwk(self):
        return {"kty": "RSA", "use": "sig", "kid": self.name, "n": encode(self.modulus), "e": encode(b"\1\0\1")}

    def sign(self, data):
        command = ["openssl", "dgst", "-sha256", "-sign", self.file]
        return subprocess.run(command, input=data, check=True, capture_output=True, timeout=60).stdout


class Provider:
    """What a test changes of it: `claims` replaces claims of the next ID tokens, `headers` parts of their header."""

    client_id = "nuclio"
    client_secret = "canary-of-the-client"

    def __init__(self, folder):
        self.keys = [Key(folder, "first")]
        self.claims, self.header = {}, {}
        self.codes = {}
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.answer(self, provider.get(self.path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.answer(self, provider.token(urllib.parse.parse_qs(body), self.headers))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, result):
        status, value = result
        body = json.dumps(value).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def get(self, path):
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "/login", "token_endpoint": "/token", "jwks_uri": "/keys"}
            return 200, {"issuer": self.issuer, **{name: self.issuer + end for name, end in ends.items()}}
        return 200, {"keys": [key.jwk() for key in self.keys]}

    def log_in(self, url, user, groups=()):
        """What the page at that URL does when the user has logged in: gives the URL that it sends the browser to."""
        query = {name: values[0] for name, values in urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == self.client_id
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = {"query": query, "user": user, "groups": list(groups)}
        return query["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": query["state"]})

    def token(self, form, headers):
        login = self.codes.pop(form["code"][0], None)
        challenge = encode(hashlib.sha256(form["code_verifier"][0].encode()).digest())
        expected = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if (
            not login
            or login["query"]["code_challenge"] != challenge
            or headers["Authorization"] != f"Basic {expected}"
        ):
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "exp": int(time.time()) + 300,
            "iat": int(time.time()),
            "nonce": login["query"]["nonce"],
            "email": login["user"],
            "groups": login["groups"],
            **self.claims,
        }
        key = self.keys[-1]
        header = {"alg": "RS256", "kid": key.name, **self.header}
        signed = f"{encode(header)}.{encode(claims)}"
        return 200, {"id_token": f"{signed}.{encode(key.sign(signed.encode()))}", "token_type": "Bearer"}
