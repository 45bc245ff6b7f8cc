"""The processor time shared by reading, tracing and checking, with a clock set by the test."""

from contextlib import contextmanager

import pytest

from costcalc import allowance
from costcalc.allowance import EVERY, OutOfTime, look, spend, within
from costcalc.errors import Place, Source


class Clock:
    """A clock set by the test that counts how often it is read."""

    def __init__(self):
        self.now, self.asked = 0.0, 0

    def __call__(self):
        self.asked += 1
        return self.now


@pytest.fixture
def clock(monkeypatch, limit):
    found = Clock()
    monkeypatch.setattr(allowance, "process_time", found)
    limit(seconds=60)
    limit(run_seconds=600)
    return found


@contextmanager
def ending():
    """Expect an allowance inside to end; yields a list that receives the problem."""
    found = []
    with pytest.raises(OutOfTime) as error:
        yield found
    found += error.value.problems


def test_time_is_over_at_the_limit_and_not_before(clock):
    clock.now = 100
    with ending() as found, within("seconds", "reading"):
        for now in (100, 159, 159.99):
            clock.now = now
            look()
        clock.now = 160
        look()
    assert (found[0].code, found[0].message, found[0].place) == ("limit", "reading takes more than 60 seconds", None)
    assert found[0].help == "COSTCALC_LIMITS=seconds=N in the environment raises this limit"


@pytest.mark.parametrize("note", [look, lambda place: spend(1, place)])
def test_the_place_is_told_where_it_is_known(clock, note):
    place = Place(Source("a.yaml", "x"), 1, 1)
    with ending() as found, within("seconds", "reading"):
        clock.now = 61
        note(place)
    assert found[0].place == place


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


INSIDE = [  # (name, who) of the outer and inner allowance, the time at which one ends, the one that ends
    (("seconds", "reading"), ("run_seconds", "the run"), 60, "reading takes more than 60 seconds"),
    (("run_seconds", "the run"), ("seconds", "reading"), 60, "reading takes more than 60 seconds"),
    (("seconds", "reading"), ("seconds", "walking"), 60, "reading takes more than 60 seconds"),
]


@pytest.mark.parametrize(("outer", "inner", "end", "message"), INSIDE)
def test_one_inside_another_never_extends_it(clock, outer, inner, end, message):
    with ending() as found, within(*outer), within(*inner):
        clock.now = end - 1
        look()
        clock.now = end
        look()
    assert found[0].message == message


def test_the_one_outside_goes_on_after_the_one_inside(clock):
    with ending() as found, within("run_seconds", "the run"):
        with ending() as inside, within("seconds", "reading"):
            clock.now = 60
            look()
        look()
        clock.now = 600
        look()
    assert [inside[0].message, found[0].message] == [
        *("reading takes more than 60 seconds", "the run takes more than 600 seconds"),
    ]


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
    assert EVERY == 1_000  # units of a few microseconds: a few milliseconds


def test_what_has_ended_and_goes_on_ends_once_more_a_second_later(clock):
    """Code that catches everything gets one more second, and no more."""
    ends = []
    with ending() as found, within("seconds", "reading"):
        for now in (60, 60.5, 60.99, 61, 61.5, 62):
            clock.now = now
            try:
                look()
            except allowance._Over:
                ends.append(now)
        clock.now = 63
        look()
    assert (ends, found[0].code) == ([60, 61, 62], "limit")
