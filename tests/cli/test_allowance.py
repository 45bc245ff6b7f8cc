"""Processor time that reading, walking and checking share, by a clock that the test turns."""

import pytest

from costcalc import allowance, limits
from costcalc.allowance import EVERY, look, spend, within
from costcalc.errors import Place, Source, SpecError


class Clock:
    """Seconds as the test sets them, and how often they were asked for."""

    def __init__(self):
        self.now, self.asked = 0.0, 0

    def __call__(self):
        self.asked += 1
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(allowance, "process_time", found)
    monkeypatch.setattr(limits, "SECONDS", 60)
    monkeypatch.setattr(limits, "RUN_SECONDS", 600)
    return found


def over(call=look):
    with pytest.raises(SpecError) as error:
        call()
    return error.value.problems[0]


def test_time_is_over_past_the_limit_and_not_at_it(clock):
    clock.now = 100
    with within("seconds", "reading"):
        for now in (100, 159, 160):
            clock.now = now
            look()
        clock.now = 160.01
        problem = over()
    assert (problem.code, problem.message) == ("limit", "reading takes more than 60 seconds")
    assert problem.help == "COSTCALC_LIMITS=seconds=N in the environment raises this limit"


def test_the_place_is_told_where_it_is_known(clock):
    place = Place(Source("a.yaml", "x"), 1, 1)
    with within("seconds", "reading"):
        clock.now = 61
        assert over(lambda: spend(1, place)).place == over(lambda: look(place)).place == place
        assert over().place is None


def test_outside_of_every_allowance_nothing_is_limited(clock):
    with within("seconds", "reading"):
        pass
    clock.now = 10**9
    look()
    spend(10**9)
    with pytest.raises(ValueError, match="mine"), within("seconds", "reading"):
        raise ValueError("mine")
    look()
    assert clock.asked == 2


def test_one_inside_another_never_extends_it(clock):
    with within("seconds", "reading"):
        clock.now = 30
        with within("run_seconds", "the run"):
            clock.now = 61
            assert over().message == "reading takes more than 60 seconds"
    clock.now = 0
    with within("run_seconds", "the run"):
        with within("seconds", "reading"):
            clock.now = 61
            assert over().message == "reading takes more than 60 seconds"
        look()
        clock.now = 601
        assert over().message == "the run takes more than 600 seconds"


def test_of_two_that_end_at_once_the_outer_one_is_named(clock, monkeypatch):
    monkeypatch.setattr(limits, "RUN_SECONDS", 60)
    with within("run_seconds", "the run"), within("seconds", "reading"):
        clock.now = 61
        assert over().message == "the run takes more than 60 seconds"


def test_the_clock_is_asked_at_the_first_unit_and_after_each_thousand(clock):
    with within("seconds", "reading"):
        before = clock.asked
        spend()
        assert clock.asked == before + 1
        for _ in range(EVERY):
            spend()
        assert clock.asked == before + 1
        spend()
        assert clock.asked == before + 2
        spend(EVERY)
        assert clock.asked == before + 2
        spend(1)
        assert clock.asked == before + 3
    assert EVERY == 1_000  # units of some microseconds: some milliseconds
