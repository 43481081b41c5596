# SPDX-License-Identifier: Apache-2.0
"""What people do with the web app, in Debian's Chromium: the journeys of web/journeys, with dashboards of their own."""

import pytest
import running
from web_journeys import JOURNEYS, run_journey

# Some hundred screens, each looked at twice: beside other tests that takes longer than anybody waits.
IN_ORDER = {"screens"}


def name_of(journey):
    return journey.name.split(".")[0]


def parameter(journey):
    marks = [pytest.mark.in_order] if name_of(journey) in IN_ORDER else []
    return pytest.param(journey, marks=marks, id=name_of(journey))


def test_there_are_journeys():
    assert len(JOURNEYS) > 3


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize("journey", [parameter(each) for each in JOURNEYS])
def test_a_journey_on_this_machine(journey):
    run_journey(journey, {"NUCLIO_BIN": str(running.BIN)})
