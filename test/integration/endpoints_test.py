# SPDX-License-Identifier: Apache-2.0
"""Health, metrics and web admin."""

import concurrent.futures
import json

import pytest
import running

SPEC = {
    "triggers": {
        "web": {"kind": "http", "numWorkers": 1, "password": "hush-hush", "attributes": {"serviceType": "ClusterIP"}},
        "tick": {"kind": "cron", "attributes": {"interval": "1h"}, "secret": "hush-hush"},
    }
}


@pytest.fixture(scope="module")
def processor(start_processor):
    return start_processor("slow.py", SPEC)


def test_ready_and_live(processor):
    for path in ("/ready", "/live"):
        answer = processor.health(path)
        assert (answer.status, answer.json) == (200, {})


def test_ready_is_503_while_a_worker_is_missing(start_processor, tmp_path):
    code = tmp_path / "slow_start.py"
    mark = tmp_path / "again"
    code.write_text(
        "import os, time\n"
        f"if os.path.exists({str(mark)!r}): time.sleep(1.5)\n"
        f"open({str(mark)!r}, 'w').close()\n"
        "def handler(context, event):\n"
        "    os._exit(1)\n"
    )
    processor = start_processor(code)
    assert processor.health("/ready").status == 200
    assert processor.request().status == 502
    assert processor.health("/ready").status == 503
    assert processor.health("/live").status == 200
    running.wait_for(lambda: processor.health("/ready").status == 200, "readiness")


def test_metrics_have_true_values(start_processor):
    processor = start_processor("slow.py", {"triggers": {"web": {"kind": "http", "numWorkers": 1}}})
    for _ in range(3):
        assert processor.request("POST", body=b"sleep 0.05").status == 200
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: processor.request("POST", body=b"sleep 0.2"), range(2)))
    assert processor.request("POST", body=b"exit 3").status == 502
    metric = processor.metric
    assert metric("nuclio_processor_handled_events_total", result="success", trigger_kind="http") == 5
    assert metric("nuclio_processor_handled_events_total", result="failure", trigger_kind="http") == 1
    assert metric("nuclio_processor_worker_allocation_count", trigger_kind="http") == 6
    assert metric("nuclio_processor_worker_allocation_total", result="success_immediate") == 5
    assert metric("nuclio_processor_worker_allocation_total", result="success_after_wait") == 1
    assert metric("nuclio_processor_worker_allocation_total", result="error_timeout") == 0
    assert 150 <= metric("nuclio_processor_worker_allocation_wait_duration_milliseconds_sum") < 5000
    assert 540 <= metric("nuclio_processor_handled_events_duration_milliseconds_sum") < 5000
    assert metric("nuclio_processor_handled_events_duration_milliseconds_count") >= 5
    assert metric("nuclio_processor_worker_allocation_workers_available_percentage") > 0
    (_, labels), _ = next(
        item for item in processor.metrics().items() if item[0][0] == "nuclio_processor_handled_events_total"
    )
    assert {"instance", "trigger_kind", "trigger_id", "namespace", "function", "project", "result"} <= dict(
        labels
    ).keys()


def test_triggers_are_shown_without_their_secrets(processor):
    admin = processor.addresses["webAdmin"]
    answer = running.request(admin, path="/triggers")
    assert answer.status == 200
    assert "hush-hush" not in answer.text
    assert set(answer.json) >= {"web", "tick"}
    one = running.request(admin, path="/triggers/web")
    assert one.status == 200 and "hush-hush" not in one.text
    stats = running.request(admin, path="/triggers/web/stats")
    assert stats.status == 200 and isinstance(json.loads(stats.body), dict)
    assert running.request(admin, path="/triggers/nobody").status == 404


def test_an_idle_function_uses_no_cpu(processor):
    import time

    def ticks(pid):
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    pids = [processor.process.pid, *processor.workers()]
    before = sum(map(ticks, pids))
    time.sleep(1)
    assert sum(map(ticks, pids)) - before <= 3
