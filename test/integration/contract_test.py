# SPDX-License-Identifier: Apache-2.0
"""What Nuclio's clients rely on, on this machine; test/e2e has the same on a cluster."""

import pytest
from contract_cases import ContractCases


@pytest.fixture(scope="module")
def board(dashboard):
    return dashboard


@pytest.fixture
def user():
    return {}


@pytest.fixture(scope="module")
def code():
    return {}


@pytest.fixture
def log(board):
    return lambda: board.log


class TestOnThisMachine(ContractCases):
    pass
