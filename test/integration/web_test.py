# SPDX-License-Identifier: Apache-2.0
"""What people do with the web app, in Debian's Chromium: the journeys of web/journeys, with dashboards of their own."""

import pytest
import running
from web_journeys import JOURNEYS, run_journey


def test_there_are_journeys():
    assert len(JOURNEYS) > 3


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda path: path.name.split(".")[0])
def test_a_journey_on_this_machine(journey):
    run_journey(journey, {"NUCLIO_BIN": str(running.BIN)})
