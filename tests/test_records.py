"""Named tuples are those of `typing`: the same fields, defaults, methods and texts."""

from __future__ import annotations

import inspect
import pickle
import typing

import pytest

from costcalc import records

BODY = """
class Point(NamedTuple):
    {doc}
    x: int
    y: Missing[str] = 2
    z: int = 3

    @property
    def total(self):
        return self.x + self.y + self.z

    def moved(self, by):
        return self._replace(x=self.x + by)

    @classmethod
    def zero(cls):
        return cls(0, 0, 0)
"""


def made(base, doc=""):
    names = {"NamedTuple": base, "__name__": __name__}
    exec("from __future__ import annotations\n" + BODY.format(doc=doc), names)
    return names["Point"]


OURS, THEIRS = made(records.NamedTuple), made(typing.NamedTuple)


@pytest.mark.parametrize("name", ["_fields", "_field_defaults", "__doc__", "__name__", "__qualname__", "__module__"])
def test_a_class_is_what_typing_makes_of_it(name):
    assert getattr(OURS, name) == getattr(THEIRS, name)
    assert list(OURS.__annotations__) == list(THEIRS.__annotations__)
    assert OURS.__mro__[-2:] == THEIRS.__mro__[-2:] == (tuple, object)
    ours, theirs = inspect.signature(OURS).parameters.values(), inspect.signature(THEIRS).parameters.values()
    assert [(one.name, one.default) for one in ours] == [(one.name, one.default) for one in theirs]


@pytest.mark.parametrize("args", [(1,), (1, 5), (1, 5, 7)])
def test_a_value_is_what_typing_makes_of_it(args):
    ours, theirs = OURS(*args), THEIRS(*args)
    assert ours == theirs
    assert repr(ours) == repr(theirs)
    assert (ours.total, ours.moved(2), OURS.zero()) == (theirs.total, theirs.moved(2), THEIRS.zero())


def test_a_class_has_its_own_docstring():
    assert made(records.NamedTuple, "'A point.'").__doc__ == "A point."


def test_what_is_missing_or_too_much_is_refused():
    for args in ((), (1, 2, 3, 4)):
        with pytest.raises(TypeError):
            OURS(*args)


class Kept(records.NamedTuple):
    """Of this module, so that it can be found again."""

    name: str = "a"


def test_values_are_pickled():
    assert pickle.loads(pickle.dumps(Kept("b"))) == Kept("b")


def test_values_match_patterns_and_take_no_wrong_field():
    assert OURS.__match_args__ == ("x", "y", "z")
    assert OURS._make([1, 2, 3]) == OURS(1, 2, 3)
    assert OURS(1)._asdict() == {"x": 1, "y": 2, "z": 3}
    for wrong, error in ((lambda: OURS(1)._replace(w=1), ValueError), (lambda: OURS._make([1]), TypeError)):
        with pytest.raises(error):
            wrong()
    with pytest.raises(AttributeError):
        OURS(1).x = 2
