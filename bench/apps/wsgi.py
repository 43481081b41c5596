# SPDX-License-Identifier: Apache-2.0
"""What the functions of this folder do, for the servers that we are compared with."""

import json


def answer(start_response, content_type, body):
    start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def hello(environ, start_response):
    return answer(start_response, "text/plain", b"Hello from Nuclio")


def echo(environ, start_response):
    return answer(start_response, "text/plain", environ["wsgi.input"].read())


def sums(environ, start_response):
    numbers = json.loads(environ["wsgi.input"].read())["numbers"]
    body = json.dumps({"count": len(numbers), "sum": sum(numbers)}).encode()
    return answer(start_response, "application/json", body)
