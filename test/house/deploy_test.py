# SPDX-License-Identifier: Apache-2.0
"""What is in deploy says what the rest of the tree says. That it works is tested in test/e2e."""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/nuclio"

sys.path.insert(0, str(ROOT / "tools/images"))
import catalogue  # noqa: E402 # from the folder that was named just now


def values() -> dict:
    return yaml.safe_load((CHART / "values.yaml").read_text())


def paths(value: object, prefix: str = "") -> set[str]:
    if not isinstance(value, dict) or not value:
        return {prefix}
    return {path for key, inner in value.items() for path in paths(inner, f"{prefix}.{key}" if prefix else key)}


def knows(schema: dict, path: str) -> bool:
    for key in path.split("."):
        if "$ref" in schema:
            schema = ROOT_SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]]
        if "properties" not in schema:
            return schema.get("type") == "object"
        if key not in schema["properties"]:
            return False
        schema = schema["properties"][key]
    return True


ROOT_SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def test_the_chart_has_the_projects_version():
    version = re.search(r"project\(nuclio VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_each_value_is_in_the_schema():
    assert [path for path in sorted(paths(values())) if not knows(ROOT_SCHEMA, path)] == []
    assert not knows(ROOT_SCHEMA, "dashboard.nodeport")


def test_each_name_of_the_schema_is_a_value_with_a_default():
    named = set()

    def collect(schema: dict, prefix: str) -> None:
        for key, inner in schema.get("properties", {}).items():
            path = f"{prefix}.{key}" if prefix else key
            named.add(path)
            collect(inner, path)

    collect(ROOT_SCHEMA, "")
    have = {".".join(path.split(".")[:depth]) for path in paths(values()) for depth in range(1, path.count(".") + 2)}
    assert named - have == {"registry.credentials.username", "registry.credentials.password"}


def test_the_chart_runs_images_that_are_made():
    made = {f"nuclio/{image.name}" for image in catalogue.IMAGES}
    assert {values()[program]["image"]["repository"] for program in ("controller", "dashboard")} <= made


def test_programs_read_the_variables_that_the_chart_sets():
    for program in ("controller", "dashboard"):
        read = (ROOT / f"src/{program}/settings.cc").read_text()
        template = (CHART / f"templates/{program}.yaml").read_text()
        names = set(re.findall(r"NUCLIO_[A-Z_]+", template))
        assert len(names) >= 5
        assert {name for name in names if f'"{name}"' not in read} == set()


def test_the_grafana_dashboard_shows_metrics_that_processors_export():
    exported = set(re.findall(r'family\("(\w+)"', (ROOT / "src/processor/exposition.cc").read_text()))
    text = (ROOT / "deploy/grafana/nuclio.json").read_text()
    shown = {re.sub(r"_bucket$", "", name) for name in re.findall(r"\bnuclio_processor_(\w+)", text)}
    assert len(shown) >= 10
    assert shown <= exported
    ids = [panel["id"] for panel in json.loads(text)["panels"]]
    assert len(set(ids)) == len(ids)
