# SPDX-License-Identifier: Apache-2.0
"""Processors that end and are replaced while requests come at a fixed rate: none of them fails."""

import json
import signal
import socket
import time

import pytest
import running
from loading import Load, unexpected

RATE = 2000
ROUNDS = 50
# Their queues have a place for each connection below: nothing is refused because a start took the CPU for a moment.
SPEC = {"triggers": {"web": {"kind": "http", "numWorkers": 4}}}
# Each connection is used sixty times a second, so that at any moment some have a request on the way.
LOAD = ("--rate", RATE, "--connections", 32, "--seconds", 600, "--timeout", 30)
CONNECTIONS = ["--reconnect", "--close-each"]  # kept as long as the server keeps them, or one for each request


def version(text):
    return f"def handler(context, event):\n    return {text!r}\n"


def tell(what, report):
    latency = report["latency_us"]["all"]
    print(
        f"{what}: {report['sent']} requests in {report['seconds']:.0f} s, failed: {unexpected(report)}, "
        f"never sent: {report['unsent']}, connections closed by the server: {report['closed_by_server']}, "
        f"p50 {latency['p50'] / 1000:.2f} ms, p99 {latency['p99'] / 1000:.1f} ms, max {latency['max'] / 1000:.0f} ms"
    )


def stop_after_the_last_round(load):
    """What became due while the last start took the CPU is sent as that of the other rounds was."""
    time.sleep(1)
    return load.stop()


def check(report, rounds):
    assert report["sent"] >= 100 * rounds
    assert not unexpected(report)
    assert report["unsent"] <= RATE / 10, "more than what was due in the moment of the stop"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("connections", CONNECTIONS)
@pytest.mark.parametrize("rounds", [ROUNDS])
def test_a_processor_that_hands_its_socket_on_and_is_told_to_end_loses_no_request(
    transport, tmp_path, rounds, connections
):
    """As the process platform replaces a processor, without the time that a build takes."""
    code = tmp_path / "code.py"
    code.write_text(version("hello"))
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:

        def start(number):
            folder = tmp_path / f"processor-{number}"
            return running.Processor(folder, code, SPEC, running.over(transport), listener=listener).start()

        current = start(0)
        try:
            with Load("127.0.0.1:%d" % listener.getsockname()[1], *LOAD, connections) as load:
                for number in range(1, rounds + 1):
                    following = start(number)
                    ended, current = current, following
                    assert ended.terminate()[0] == 0
                report = stop_after_the_last_round(load)
        finally:
            current.stop()
    tell(f"{rounds} processors told to end, {connections}", report)
    check(report, rounds)


def test_a_client_that_was_held_up_for_a_moment_loses_no_request(start_processor):
    """Its connections look idle then. It is about to use all of them, and does not look first at what has come."""
    processor = start_processor("slow.py", SPEC)
    with Load(processor.address, "--rate", 500, "--connections", 8, "--seconds", 20, "--reconnect") as load:
        running.wait_for(
            lambda: processor.metric("nuclio_processor_handled_events_total", result="success") > 100, "some requests"
        )
        load.process.send_signal(signal.SIGSTOP)
        time.sleep(0.4)
        processor.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        load.process.send_signal(signal.SIGCONT)
        assert processor.process.wait(20) == 0
        report = load.stop()
    # Who comes when nobody listens any more is told so, and has lost nothing.
    assert not {kind: count for kind, count in unexpected(report).items() if kind != "refused"}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", [ROUNDS])
def test_redeploys_lose_no_request(dashboard, tmp_path, rounds):
    code = tmp_path / "code.py"
    code.write_text(version("0"))
    config = tmp_path / "function.yaml"
    config.write_text(json.dumps({"spec": SPEC}))
    dashboard.deploy("relentless", code, "--file", config)
    address = dashboard.url("relentless").removeprefix("http://")
    with Load(address, *LOAD, "--reconnect") as load:
        for number in range(1, rounds + 1):
            code.write_text(version(str(number)))
            dashboard.deploy("relentless", code, "--file", config)
            assert running.request(address).text == str(number)
        report = stop_after_the_last_round(load)
    tell(f"{rounds} redeploys", report)
    check(report, rounds)
