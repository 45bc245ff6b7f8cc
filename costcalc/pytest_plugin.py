"""A design checked in a test-suite: the fixture `assert_budget`. Nothing of costcalc is loaded until a test uses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def assert_budget() -> Callable[..., None]:
    """A function that fails the test when a design is over its budget: `assert_budget("net.yaml", max={..})`.

    It takes what `costcalc.check` takes. Without limits, those of costcalc.yaml and of the spec itself count. Raises
    AssertionError with the text that `costcalc check` prints; CostcalcError where a limit cannot be judged.
    """
    from .budget.asserting import assert_within

    return assert_within
