# SPDX-License-Identifier: Apache-2.0
"""Each rule of the house holds for this tree, and each is shown a tree that it must refuse."""

import os
import subprocess
from pathlib import Path

import checks
import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = [
    checks.include_directions,
    checks.kept_headers,
    checks.folder_names,
    checks.licence_lines,
    checks.folder_readmes,
    checks.links,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule):
    assert rule(ROOT) == []


SPDX_LINE = f"// {checks.SPDX}\n"
BAD = [
    # rule, file, its text, part of the complaint
    (checks.include_directions, "src/http/parser.h", '#include "processor/pool.h"\n', "processor stands above it"),
    (checks.include_directions, "src/base/log.cc", "#include <loop/task.h>\n", "loop stands above it"),
    (checks.include_directions, "src/spec/a/b.cc", '\n #  include "wire/frame.h"\n', "b.cc:2: spec must not"),
    (checks.include_directions, "src/nuctl/main.cc", '#include "dashboard/routes.h"\n', "dashboard stands above it"),
    (checks.include_directions, "src/http/parser.cc", '#include "parser.h"\n', 'as in "http/parser.h"'),
    (checks.include_directions, "src/extras/a.h", "", "src/extras is not on the map"),
    (checks.kept_headers, "src/http/server.cc", "#include <sys/epoll.h>\n", "the only place that knows epoll"),
    (checks.kept_headers, "src/schema/read.h", "#include <yaml-cpp/yaml.h>\n", "YAML becomes"),
    (checks.kept_headers, "src/spec/function.h", "#include <boost/json.hpp>\n", "fwd.hpp"),
    (checks.folder_names, "src/http/util/a.h", SPDX_LINE, "src/http/util"),
    (checks.folder_names, "src/http/helpers.h", SPDX_LINE, "src/http/helpers.h"),
    (checks.licence_lines, "src/base/a.h", f"#pragma once\n{SPDX_LINE}", "src/base/a.h"),
    (checks.licence_lines, "tools/a.sh", "#!/bin/sh\necho\n", "tools/a.sh"),
    (checks.licence_lines, "dev", "", "dev"),
    (checks.folder_readmes, "src/http/parser.h", SPDX_LINE, "src/http: has no README.md"),
    (checks.folder_readmes, "tools/a.py", SPDX_LINE, "tools: has no README.md"),
    (checks.links, "docs/a.md", "see [b](b.md#part)\n", "docs/a.md:1: the link to b.md#part leads nowhere"),
]


@pytest.mark.parametrize(("rule", "file", "text", "complaint"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_refuses(rule, file, text, complaint, tmp_path):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert any(complaint in line for line in rule(tmp_path)), rule(tmp_path)


def test_the_rules_accept_a_good_tree(tmp_path):
    for file, text in {
        "src/README.md": "see [http](http/README.md), [a site](https://example.org) and `[not](a/link)`\n",
        "src/http/README.md": "```\n[nor](this)\n```\n",
        "src/http/parser.h": SPDX_LINE + "#pragma once\n#include <string>\n",
        "src/http/parser.cc": SPDX_LINE + '#include "http/parser.h"\n#include "base/result.h"\n',
        "src/processor/main.cc": SPDX_LINE + '#include "platform/process.h"\n#include <boost/json.hpp>\n',
        "src/processor/README.md": "",
        "build/release/common/x.h": "",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    assert [line for rule in RULES for line in rule(tmp_path)] == []


def test_generated_files_are_fresh(tmp_path):
    generator = Path(os.environ["NUCLIO_BIN"]) / "nuclio_gen"
    subprocess.run([generator, "--out", tmp_path], check=True, timeout=60)
    assert checks.same_files(tmp_path, ROOT / "docs/reference") == []
    subprocess.run([generator, "--crds", tmp_path / "crds.yaml"], check=True, timeout=60)
    for committed in ("deploy/kubernetes/crds.yaml", "deploy/helm/nuclio/files/crds.yaml"):
        assert (tmp_path / "crds.yaml").read_text() == (ROOT / committed).read_text(), f"{committed} is stale"


def test_generated_files_that_are_stale_missing_or_left_over_are_named(tmp_path):
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    for folder, name, text in [
        (fresh, "same.md", "1"),
        (committed, "same.md", "1"),
        (fresh, "stale.md", "1"),
        (committed, "stale.md", "0"),
        (fresh, "missing.md", ""),
        (committed, "left.md", ""),
        (committed, "README.md", ""),
    ]:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    assert [line.removeprefix(f"{committed}/") for line in checks.same_files(fresh, committed)] == [
        "left.md: is no longer generated; delete it",
        "missing.md: is missing; `./dev gen` writes it",
        "stale.md: is stale; `./dev gen` writes it anew",
    ]
