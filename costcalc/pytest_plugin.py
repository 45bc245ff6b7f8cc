"""pytest plugin: the fixture `assert_budget` checks a design in a test suite. costcalc is imported on first use."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def assert_budget() -> Callable[..., None]:
    """A function that fails the test if a design exceeds its budget: `assert_budget("net.yaml", max={..})`.

    It takes the arguments of `costcalc.check`. Without limits, those of costcalc.yaml and of the spec apply. Raises
    AssertionError with the output of `costcalc check`, and CostcalcError if a limit cannot be checked.
    """
    from .budget.asserting import assert_within

    return assert_within
