# SPDX-License-Identifier: Apache-2.0
"""How callers of the dashboard show who they are, and what becomes of those who cannot."""

import base64
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import ssl
import threading
import time

import certificates
import pytest
import running
from logging_in import PASSWORD, bearer, hash_password, let_expire, make_token, start_dashboard
from openid_provider import Key, Provider

FUNCTION = {
    "metadata": {"name": "f", "annotations": {"skip-build": "true", "skip-deploy": "true"}},
    "spec": {"runtime": "python:3.11", "handler": "m:h"},
}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def config():
    ada, bob = hash_password(), hash_password("another password")
    return {
        "users": [
            {"name": "ada", "passwordHash": ada},
            {"name": "bob", "passwordHash": bob, "groups": ["readers"]},
        ],
        "grants": [{"user": "ada", "role": "admin"}, {"group": "readers", "role": "viewer"}],
        "allowedOrigins": ["https://flows.example.com"],
    }


@pytest.fixture(scope="module")
def board(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("home")
    made = start_dashboard(folder / "nuclio", "basic", config, NUCLIO_DASHBOARD_AUDIT_LOG=str(folder / "audit.log"))
    made.audit = folder / "audit.log"
    yield made
    made.stop()


def log_in(board, user="ada", password=PASSWORD, **headers):
    """The header of the session's cookie."""
    answer = board.api("POST", "/v2/session", {"username": user, "password": password}, headers)
    assert answer.status == 201, answer
    cookie = answer.headers["Set-Cookie"]
    assert "; HttpOnly" in cookie and "; SameSite=Strict" in cookie and "; Path=/" in cookie
    return {"Cookie": cookie.split(";")[0]}


def test_whoever_shows_nothing_is_told_how(board):
    answer = board.api("GET", "/functions")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="nuclio"'
    assert "nuctl login" in answer.json["error"]
    session = board.api("GET", "/v2/session").json
    assert session == {
        "loggedIn": False,
        "login": {"required": True, "basic": True, "tokens": True, "oidc": False, "kubernetes": False},
    }


@pytest.mark.parametrize(
    "headers",
    [
        basic("ada", "wrong"),
        basic("nobody", PASSWORD),
        basic("ada", ""),
        basic("ada", PASSWORD + "\0x"),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Digest x"},
        {"Authorization": "Bearer "},
        bearer("nuc_aaaaaaaaaa_" + "b" * 43),
        bearer("../../../etc/passwd"),
        {"Cookie": "nuclio_session=nuc_aaaaaaaaaa_" + "b" * 43},
        {"Cookie": "nuclio_session=x"},
    ],
    ids=str,
)
def test_what_proves_nothing_is_refused(board, headers):
    assert board.api("GET", "/functions", headers=headers).status == 401


def test_a_password_lets_its_user_in_with_what_they_may(board):
    assert board.api("POST", "/functions", FUNCTION, basic("ada", PASSWORD)).status in (202, 409)
    reader = basic("bob", "another password")
    assert "f" in board.api("GET", "/functions", headers=reader).json
    answer = board.api("DELETE", "/functions", {"metadata": {"name": "f"}}, reader)
    assert answer.status == 403
    assert answer.json["error"] == 'bob may not delete function "f" of project "default"'


def test_a_session_reads_by_its_cookie_and_changes_with_a_header_that_other_pages_cannot_send(board):
    cookie = log_in(board)
    assert board.api("GET", "/functions", headers=cookie).status == 200
    session = board.api("GET", "/v2/session", headers=cookie).json
    assert (session["name"], session["credential"]) == ("ada", "session")
    answer = board.api("POST", "/projects", {"metadata": {"name": "of-a-page"}}, cookie)
    assert answer.status == 403
    assert "X-Nuclio-Csrf" in answer.json["error"]
    answer = board.api("POST", "/projects", {"metadata": {"name": "of-a-page"}}, {**cookie, "X-Nuclio-Csrf": "1"})
    assert answer.status == 201
    foreign = {**cookie, "X-Nuclio-Csrf": "1", "Origin": "https://evil.example.com"}
    assert board.api("POST", "/projects", {"metadata": {"name": "of-another-page"}}, foreign).status == 403
    answer = board.api("DELETE", "/v2/session", headers={**cookie, "X-Nuclio-Csrf": "1"})
    assert answer.status == 204
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert board.api("GET", "/functions", headers=cookie).status == 401


def test_a_session_behind_https_has_a_cookie_for_https_alone(board):
    answer = board.api("POST", "/v2/session", {"username": "ada", "password": PASSWORD}, {"X-Forwarded-Proto": "https"})
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_a_dashboard_speaks_https_and_renews_its_certificate(tmp_path, config):
    certificate = certificates.write(tmp_path / "tls")
    board = start_dashboard(
        tmp_path / "home",
        "basic",
        config,
        NUCLIO_DASHBOARD_TLS_CERTIFICATE=str(certificate),
        NUCLIO_DASHBOARD_TLS_KEY=str(tmp_path / "tls/tls.key"),
    )

    def log_in_by_https():
        context = ssl.create_default_context(cafile=certificate)
        host, port = board.address.split(":")
        connection = http.client.HTTPSConnection(host, int(port), timeout=30, context=context)
        connection.request("POST", "/api/v2/session", json.dumps({"username": "ada", "password": PASSWORD}))
        answer = connection.getresponse()
        assert answer.status == 201
        return answer.headers["Set-Cookie"]

    assert log_in_by_https().endswith("; Secure")
    certificates.write(tmp_path / "tls")

    def trusted():
        with contextlib.suppress(ssl.SSLError):
            return log_in_by_https()

    running.wait_for(trusted, "the new certificate")
    board.stop()


def test_a_session_ends_when_it_is_over_and_survives_the_dashboard_until_then(tmp_path, config):
    board = start_dashboard(tmp_path / "home", "basic", config)
    cookie = log_in(board)
    board.process.kill()
    board.process.wait()
    board.start()
    assert board.api("GET", "/functions", headers=cookie).status == 200
    let_expire(board, cookie["Cookie"].split("=")[1])
    answer = board.api("GET", "/functions", headers=cookie)
    assert answer.status == 401
    assert "expired" in answer.json["error"]
    board.stop()


def test_guessing_passwords_is_slowed_down_and_does_not_lock_out_tokens(tmp_path, config):
    board = start_dashboard(tmp_path / "home", "basic", config)
    token = make_token(board, "--name", "t")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        guesses = list(
            pool.map(lambda n: board.api("GET", "/functions", headers=basic("ada", f"{n}")).status, range(30))
        )
    assert set(guesses) == {401, 429}
    assert guesses.count(401) < 16
    answer = board.api("GET", "/functions", headers=basic("ada", PASSWORD))
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert board.api("GET", "/functions", headers=basic("bob", "another password")).status == 200
    assert board.api("GET", "/functions", headers=bearer(token)).status == 200
    board.stop()


def test_passwords_are_compared_beside_everything_else(board):
    """Each takes tens of milliseconds of a core; nobody else waits for them."""
    token = make_token(board, "--name", "quick")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        guesses = [pool.submit(board.api, "GET", "/versions", headers=basic(f"user{n}", "x")) for n in range(8)]
        guesses += [pool.submit(board.api, "GET", "/functions", headers=basic(f"user{n}", "x")) for n in range(8)]
        begun = time.monotonic()
        for _ in range(10):
            assert board.api("GET", "/functions", headers=bearer(token)).status == 200
        taken = time.monotonic() - begun
        assert all(each.result().status in (200, 401, 429) for each in guesses)
    assert taken < 5, f"10 calls took {taken:.1f} s"


def test_users_make_tokens_that_may_no_more_than_they(board):
    cookie = {**log_in(board), "X-Nuclio-Csrf": "1"}
    body = {"name": "reading", "grants": [{"role": "viewer"}], "expiresIn": "1h"}
    answer = board.api("POST", "/v2/tokens", body, cookie)
    assert answer.status == 201
    token, id = answer.json["token"], answer.json["id"]
    listed = board.api("GET", "/v2/tokens", headers=cookie)
    assert id in [each["id"] for each in listed.json["tokens"]]
    assert token not in listed.text and "hash" not in listed.text
    assert board.api("GET", "/functions", headers=bearer(token)).status == 200
    assert board.api("GET", "/functions", headers=basic("anything", token)).status == 200
    assert board.api("POST", "/projects", {"metadata": {"name": "more"}}, bearer(token)).status == 403
    # With it nobody makes one that may more, and what it makes ends with it.
    wider = {"name": "wider", "grants": [{"role": "admin"}]}
    assert board.api("POST", "/v2/tokens", wider, bearer(token)).status == 403
    child = board.api("POST", "/v2/tokens", {"name": "child"}, bearer(token)).json["token"]
    assert board.api("GET", "/functions", headers=bearer(child)).status == 200
    assert board.api("POST", "/projects", {"metadata": {"name": "more"}}, bearer(child)).status == 403
    # Of others' tokens nobody but an admin knows.
    reader = basic("bob", "another password")
    assert board.api("GET", "/v2/tokens", headers=reader).json == {"tokens": []}
    assert board.api("DELETE", f"/v2/tokens/{id}", headers=reader).status == 404
    assert board.api("DELETE", f"/v2/tokens/{id}", headers=cookie).status == 204
    assert board.api("GET", "/functions", headers=bearer(token)).status == 401
    assert board.api("GET", "/functions", headers=bearer(child)).status == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "name must say what the token is for"),
        ({"name": "a\nb"}, "without control characters"),
        ({"name": "x" * 64}, "at most 63 bytes"),
        ({"name": "a", "expiresIn": "0s"}, "expiresIn: must be from 1m to 3660d"),
        ({"name": "a", "expiresIn": "3000d"}, "the longest that is allowed here"),
        ({"name": "a", "grants": [{"role": "king"}]}, "role must be viewer, developer or admin"),
        ({"name": "a", "grants": "all"}, "grants must be a list"),
    ],
    ids=str,
)
def test_a_token_that_cannot_be_is_refused_in_words(board, body, said):
    answer = board.api("POST", "/v2/tokens", body, basic("ada", PASSWORD))
    assert answer.status == 400
    assert said in answer.json["error"]


def test_a_token_of_the_command_line_is_listed_revoked_and_gone(board):
    token = make_token(board, "--name", "ci", "--role", "viewer", "--project", "default", "--expires", "12h")
    assert board.api("GET", "/functions", headers=bearer(token)).status == 200
    command = [running.BIN / "dashboard", "token"]

    def run(*arguments):
        return running.subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=30, env=board.environment, check=False
        )

    listed = run("list").stdout
    id = token.split("_")[1]
    assert f"{id}   ci" in listed and "viewer@default" in listed
    assert token not in listed
    assert run("revoke", id).returncode == 0
    assert board.api("GET", "/functions", headers=bearer(token)).status == 401
    again = run("revoke", id)
    assert again.returncode == 1
    assert f'there is no token "{id}"' in again.stderr


def test_a_page_that_is_allowed_calls_with_tokens_and_no_other_page_does(board):
    token = make_token(board, "--name", "flows")
    ours, evil = {"Origin": "https://flows.example.com"}, {"Origin": "https://evil.example.com"}
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = board.api("OPTIONS", "/functions", headers={**ours, **preflight})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, ours["Origin"])
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert board.api("POST", "/projects", {"metadata": {"name": "flows"}}, {**ours, **bearer(token)}).status == 403
    answer = board.api("OPTIONS", "/functions", headers={**evil, **preflight})
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = board.api("GET", "/functions", headers={**evil, **bearer(token)})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert board.api("POST", "/functions", FUNCTION, {**evil, **bearer(token)}).status == 403


def test_answers_tell_browsers_what_they_are(board):
    for path in ("/versions", "/functions", "/nothing"):
        headers = board.api("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"


def test_every_change_and_every_refused_one_is_in_the_audit_log(board):
    token = make_token(board, "--name", "auditor", "--role", "viewer")
    board.api("POST", "/functions", FUNCTION, basic("ada", PASSWORD))
    board.api("DELETE", "/functions", {"metadata": {"name": "f"}}, bearer(token))
    board.api("GET", "/functions", headers=bearer(token))
    lines = [json.loads(line) for line in board.audit.read_text().splitlines()]
    refused = [line for line in lines if line["caller"] == "token auditor"]
    assert [line["what"] for line in refused] == ['delete function "f" of project "default"']
    (line,) = refused
    assert (line["status"], line["method"], line["path"]) == (403, "DELETE", "/api/functions")
    assert line["token"] == token.split("_")[1]
    made = [line for line in lines if line["caller"] == "ada" and line["path"] == "/api/functions"]
    assert made and made[0]["credential"] == "password" and made[0]["from"].startswith("127.0.0.1:")


def test_who_may_not_change_a_function_sees_none_of_its_secrets(board):
    canary = "canary-of-a-trigger"
    function = {
        "metadata": {**FUNCTION["metadata"], "name": "with-secrets"},
        "spec": {
            **FUNCTION["spec"],
            "triggers": {"q": {"kind": "cron", "name": "q", "password": canary, "attributes": {"interval": "1h"}}},
        },
    }
    ada, bob = basic("ada", PASSWORD), basic("bob", "another password")
    assert board.api("PUT", "/functions/with-secrets", function, ada).status == 202
    for path in ("/functions/with-secrets", "/functions", "/functions/with-secrets?export=true&scrub=false"):
        assert canary in board.api("GET", path, headers=ada).text
        answer = board.api("GET", path, headers=bob)
        assert answer.status == 200 and "********" in answer.text and canary not in answer.text
    export = board.api("GET", "/projects/default?export=true&scrub=false", headers=bob)
    assert export.status == 200 and "with-secrets" in export.text and canary not in export.text
    # What its owner gets can be put back.
    whole = board.api("GET", "/functions/with-secrets", headers=ada).json
    assert board.api("DELETE", "/functions", {"metadata": {"name": "with-secrets"}}, ada).status == 204
    assert board.api("PUT", "/functions/with-secrets", whole, ada).status == 202
    assert canary in board.api("GET", "/functions/with-secrets", headers=ada).text
    assert canary not in board.log + board.audit.read_text()


def test_a_function_does_not_get_what_shows_the_dashboard_who_calls(board):
    code = "import json\n\n\ndef handler(context, event):\n"
    code += "    return json.dumps({name: str(value) for name, value in event.headers.items()})\n"
    function = {
        "metadata": {"name": "echo"},
        "spec": {
            "runtime": "python:3.11",
            "handler": "main:handler",
            "build": {"functionSourceCode": base64.b64encode(code.encode()).decode()},
        },
    }
    ada = basic("ada", PASSWORD)
    wait = {"X-Nuclio-Wait-Function-Action": "true"}
    assert board.api("POST", "/functions", function, {**ada, **wait}).status == 202, board.log[-2000:]
    seen = board.api("POST", "/function_invocations", b"x", {**ada, "X-Nuclio-Function-Name": "echo", "X-Own": "1"})
    assert seen.status == 200, seen
    assert {"X-Own"} <= set(seen.json) and not {"Authorization", "Cookie"} & set(seen.json)
    session = {**log_in(board), "X-Nuclio-Csrf": "1", "X-Nuclio-Function-Name": "echo"}
    seen = board.api("POST", "/function_invocations", b"x", session)
    assert seen.status == 200 and not {"Authorization", "Cookie", "X-Nuclio-Csrf"} & set(seen.json)
    elsewhere = {**ada, "X-Nuclio-Function-Name": "echo", "X-Nuclio-Invoke-Url": "http://169.254.169.254/latest"}
    assert board.api("GET", "/function_invocations", headers=elsewhere).status == 400
    board.api("DELETE", "/functions", {"metadata": {"name": "echo"}}, ada)


def test_no_secret_is_in_any_log(board):
    """After all that the tests above have done, and this one."""
    log_in(board)
    make_token(board, "--name", "scanned")
    kept = [json.loads(file.read_text()) for file in (board.home / "tokens").iterdir()]
    assert kept
    texts = board.log + board.audit.read_text()
    for secret in (PASSWORD, "another password", "nuc_", "$2b$", *(each["hash"] for each in kept)):
        assert secret not in texts


# --- an OpenID provider ---


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    made = Provider(tmp_path_factory.mktemp("keys"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def oidc_board(tmp_path_factory, provider):
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "secret").write_text(provider.client_secret + "\n")
    config = {
        "oidc": {
            "issuer": provider.issuer,
            "clientID": provider.client_id,
            "clientSecretFile": str(folder / "secret"),
            "redirectURL": "http://dashboard.local/api/v2/login/oidc/callback",
        },
        "grants": [{"group": "makers", "role": "developer"}, {"user": "eve@example.com", "role": "viewer"}],
    }
    made = start_dashboard(folder / "home", "oidc", config)
    yield made
    made.stop()


def begin(board):
    """The provider's URL and the header of the cookie with which a browser goes there."""
    answer = board.api("GET", "/v2/login/oidc")
    assert answer.status == 302, answer
    cookie = answer.headers["Set-Cookie"]
    assert "; SameSite=Lax" in cookie and "; HttpOnly" in cookie
    return answer.headers["Location"], {"Cookie": cookie.split(";")[0]}


def come_back(board, url, cookie):
    path = url.removeprefix("http://dashboard.local/api")
    return board.api("GET", path, headers=cookie)


def session_in(answer):
    (cookie,) = [each for each in answer.headers.get_all("Set-Cookie") if each.startswith("nuclio_session=nuc_")]
    assert "; SameSite=Strict" in cookie
    return {"Cookie": cookie.split(";")[0]}


def test_a_user_of_an_openid_provider_logs_in_and_may_what_their_groups_may(oidc_board, provider):
    page, cookie = begin(oidc_board)
    answer = come_back(oidc_board, provider.log_in(page, "mia@example.com", ["makers"]), cookie)
    assert answer.status == 200, answer
    assert answer.headers["Refresh"] == "0; url=/"
    session = session_in(answer)
    known = oidc_board.api("GET", "/v2/session", headers=session).json
    assert (known["name"], known["groups"]) == ("mia@example.com", ["makers"])
    changing = {**session, "X-Nuclio-Csrf": "1"}
    assert oidc_board.api("POST", "/functions", FUNCTION, changing).status in (202, 409)
    assert oidc_board.api("POST", "/projects", {"metadata": {"name": "p"}}, changing).status == 403
    token = oidc_board.api("POST", "/v2/tokens", {"name": "nuctl"}, changing).json["token"]
    assert oidc_board.api("GET", "/functions", headers=bearer(token)).status == 200


def test_a_login_counts_in_the_browser_where_it_was_begun_and_once(oidc_board, provider):
    page, cookie = begin(oidc_board)
    back = provider.log_in(page, "eve@example.com")
    _, another = begin(oidc_board)
    assert come_back(oidc_board, back, {}).status == 403
    assert come_back(oidc_board, back, another).status == 403
    assert come_back(oidc_board, back.replace("state=", "state=x"), cookie).status == 403
    assert come_back(oidc_board, back, cookie).status == 200
    answer = come_back(oidc_board, back, cookie)
    assert answer.status == 403
    assert "invalid_grant" in answer.json["error"]
    answer = come_back(oidc_board, "http://dashboard.local/api/v2/login/oidc/callback?error=access_denied", cookie)
    assert answer.status == 403
    assert "access_denied" in answer.json["error"]


@pytest.mark.parametrize(
    ("claims", "header", "said"),
    [
        ({"iss": "https://other.example.com"}, {}, "another issuer's"),
        ({"aud": "somebody"}, {}, "for somebody else (aud)"),
        ({"aud": ["nuclio", "b"], "azp": "b"}, {}, "given to somebody else (azp)"),
        ({"exp": 1000}, {}, "has expired"),
        ({"exp": None}, {}, "has expired"),
        ({"nbf": 32503680000}, {}, "does not count yet"),
        ({"nonce": "another"}, {}, "not for this login"),
        ({"email": ""}, {}, "has no claim email"),
        ({"email_verified": False}, {}, "has not verified"),
        ({}, {"alg": "none"}, "must be signed by RS256 or ES256"),
        ({}, {"alg": "HS256"}, "must be signed by RS256 or ES256"),
        ({}, {"alg": "ES256"}, "the token's signature is none of ES256"),
        ({}, {"kid": "unknown"}, 'no key "unknown"'),
        ({}, {"crit": ["x"]}, "demands what is not known here"),
    ],
    ids=str,
)
def test_an_id_token_that_proves_nothing_logs_nobody_in(oidc_board, provider, claims, header, said):
    provider.claims, provider.header = claims, header
    try:
        page, cookie = begin(oidc_board)
        answer = come_back(oidc_board, provider.log_in(page, "eve@example.com"), cookie)
    finally:
        provider.claims, provider.header = {}, {}
    assert answer.status == 403, answer
    assert said in answer.json["error"]
    assert "nuclio_session" not in str(answer.headers)


def test_a_new_key_of_the_provider_counts_and_a_foreign_one_does_not(oidc_board, provider, tmp_path):
    first = provider.keys[0]
    forged = Key(tmp_path, first.name)  # by the same name
    page, cookie = begin(oidc_board)
    back = provider.log_in(page, "eve@example.com")
    known = [key.jwk() for key in provider.keys]
    provider.keys = [forged]
    get, provider.get = provider.get, lambda path: (200, {"keys": known}) if path == "/keys" else get(path)
    answer = come_back(oidc_board, back, cookie)
    assert answer.status == 403 and "signature is wrong" in answer.json["error"]
    provider.get = get
    provider.keys = [first, Key(tmp_path, "second")]
    page, cookie = begin(oidc_board)
    assert come_back(oidc_board, provider.log_in(page, "eve@example.com"), cookie).status == 200


def test_no_secret_of_the_login_is_in_the_log(oidc_board, provider):
    page, cookie = begin(oidc_board)
    assert come_back(oidc_board, provider.log_in(page, "eve@example.com"), cookie).status == 200
    for secret in (provider.client_secret, "nuc_", "eyJ"):
        assert secret not in oidc_board.log


# --- an Open Policy Agent ---


class Policy:
    """Answers as OPA does, by a function of the test's; `asked` has what it was asked."""

    def __init__(self):
        self.asked, self.decide, self.delay = [], lambda resource, action, ids: True, 0
        policy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
                policy.asked.append(question)
                time.sleep(policy.delay)
                rest = (question["action"], question["ids"])
                if "resources" in question:
                    result = [each for each in question["resources"] if policy.decide(each, *rest)]
                else:
                    result = policy.decide(question["resource"], *rest)
                body = json.dumps({"result": result}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # who asks waits for a second
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def policy():
    made = Policy()
    yield made
    made.server.shutdown()
    made.server.server_close()


def start_with_policy(folder, config, policy):
    folder.mkdir()
    address = f"http://127.0.0.1:{policy.server.server_port}"
    platform = folder / "platform.yaml"
    platform.write_text(json.dumps({"opa": {"address": address, "requestTimeout": 1}}))
    board = running.Dashboard(folder / "home")
    board.flags = ["--platform-config", str(platform)]
    auth = folder / "auth.json"
    auth.write_text(json.dumps({**config, "grants": [], "authorization": "opa"}))
    board.environment.update(NUCLIO_AUTH_KIND="basic", NUCLIO_AUTH_CONFIG=str(auth))
    return board.start()


def test_an_open_policy_agent_decides(tmp_path, config, policy):
    board = start_with_policy(tmp_path / "opa", config, policy)
    ada, bob = basic("ada", PASSWORD), basic("bob", "another password")
    policy.decide = lambda resource, action, ids: "ada" in ids or (action == "read" and resource.endswith("/f"))
    assert board.api("POST", "/functions", FUNCTION, ada).status == 202
    assert policy.asked[-1] == {"resource": "/projects/default/functions/f", "action": "create", "ids": ["ada"]}
    other = {**FUNCTION, "metadata": {**FUNCTION["metadata"], "name": "g"}}
    assert board.api("POST", "/functions", other, ada).status == 202
    assert list(board.api("GET", "/functions", headers=bob).json) == ["f"]
    (read,) = [each for each in policy.asked if "resources" in each]
    assert (read["action"], read["ids"]) == ("read", ["bob", "readers"])
    assert sorted(read["resources"]) == [f"/projects/default/functions/{name}" for name in "fg"]
    assert board.api("GET", "/functions/g", headers=bob).status == 403
    assert board.api("PATCH", "/functions/f", {"desiredState": "ready"}, bob).status == 403
    assert policy.asked[-1]["resource"] == "/projects/default/functions/f/redeploy"
    assert policy.asked[-1]["action"] == "update"
    board.stop()


def test_an_authorizer_that_does_not_answer_permits_nothing(tmp_path, config, policy):
    board = start_with_policy(tmp_path / "opa", config, policy)
    ada = basic("ada", PASSWORD)
    policy.delay = 3
    answer = board.api("POST", "/functions", FUNCTION, ada)
    assert answer.status == 503
    assert "Open Policy Agent could not be asked" in answer.json["error"]
    policy.delay = 0
    assert board.api("GET", "/functions/f", headers=ada).status == 404
    policy.decide = lambda *_: "yes"  # which is not true
    assert board.api("POST", "/functions", FUNCTION, ada).status == 403
    policy.server.shutdown()
    policy.server.server_close()
    assert board.api("POST", "/functions", FUNCTION, ada).status == 503
    assert board.api("GET", "/projects/default", headers=ada).status == 503
    board.stop()


# --- what cannot be set up ---


@pytest.mark.parametrize(
    ("flags", "config", "said"),
    [
        (["--listen-addr", "0.0.0.0:0"], None, "--auth-kind"),
        (["--listen-addr", "0.0.0.0:0", "--auth-kind", "none"], None, "--auth-kind"),
        (["--auth-kind", "basic"], {}, "users must have somebody"),
        (["--auth-kind", "basic"], {"users": [{"name": "a", "passwordHash": "secret"}]}, "bcrypt"),
        (["--auth-kind", "oidc"], {}, "oidc must be set"),
        (["--auth-kind", "tokens"], {"grant": []}, 'grant is not a known field; did you mean "grants"'),
        (["--auth-kind", "tokens"], {"authorization": "opa"}, "opa.address"),
        (["--auth-kind", "tokens"], {"authorization": "cluster"}, "for --platform kube"),
    ],
    ids=str,
)
def test_a_dashboard_that_could_not_ask_does_not_start(tmp_path, flags, config, said):
    board = running.Dashboard(tmp_path / "home")
    board.home.mkdir()
    if config is not None:
        (tmp_path / "auth.json").write_text(json.dumps(config))
        flags = [*flags, "--auth-config", str(tmp_path / "auth.json")]
    done = running.subprocess.run(
        [running.BIN / "dashboard", *flags],
        capture_output=True,
        text=True,
        timeout=30,
        env=board.environment,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "passwordHash: secret" not in done.stderr


def test_a_dashboard_that_asks_is_reached_from_elsewhere(tmp_path, config):
    board = start_dashboard(tmp_path / "home", "basic", config, NUCLIO_DASHBOARD_LISTEN_ADDR="0.0.0.0:0")
    address = board.address.replace("0.0.0.0", "127.0.0.1")
    headers = {"Host": "nuclio.example.com", **basic("ada", PASSWORD)}
    assert running.request(address, "GET", "/api/functions", headers=headers).status == 200
    assert running.request(address, "GET", "/api/functions", headers={"Host": "nuclio.example.com"}).status == 401
    board.address = address
    board.stop()
