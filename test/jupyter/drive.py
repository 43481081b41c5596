# SPDX-License-Identifier: Apache-2.0
"""Calls Nuclio's own client for Python.

{"call", "arguments", "login"} is on standard input, and what became of it on the last line of the output.

Runs in the environment that has it. Arguments named "spec" are those of a ConfigSpec, whose "http" are an
HttpTrigger's.
"""

import json
import sys

import nuclio
from nuclio import deploy, triggers
from nuclio.auth import AuthInfo
from nuclio.utils import DeployError


def spec_of(given):
    trigger = given.pop("http", None)
    spec = nuclio.ConfigSpec(**given)
    if trigger is not None:
        spec.add_trigger("http", triggers.HttpTrigger(**trigger))
    return spec


def called(name, arguments):
    if "spec" in arguments:
        arguments["spec"] = spec_of(arguments["spec"])
    if name == "get_deploy_status":
        return deploy.get_deploy_status(deploy.find_dashboard_url(), return_function_status=True, **arguments)
    if name == "find_or_create_project":
        return deploy.find_or_create_project(deploy.find_dashboard_url(), **arguments)
    return getattr(deploy, name)(**arguments)


def main():
    asked = json.load(sys.stdin)
    if asked["login"]:
        asked["arguments"]["auth_info"] = AuthInfo(*asked["login"])
    try:
        outcome = {"result": called(asked["call"], asked["arguments"])}
    except DeployError as error:
        answer = error.err.response if error.err is not None else None
        outcome = {
            "error": str(error),
            "status": None if answer is None else answer.status_code,
            "answer": None if answer is None else answer.text,
        }
    print(json.dumps(outcome))


main()
