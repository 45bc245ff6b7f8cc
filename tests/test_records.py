"""Our named tuples behave like `typing.NamedTuple` for all operations on instances and classes."""

import copy
import pickle
import typing

import pytest

from costcalc import records


class Ours(records.NamedTuple):
    """A record."""

    name: str
    sizes: tuple[int, ...]
    more: str = "none"

    @property
    def longest(self):
        return max(self.sizes)


class Theirs(typing.NamedTuple):
    """A record."""

    name: str
    sizes: tuple[int, ...]
    more: str = "none"

    @property
    def longest(self):
        return max(self.sizes)


class Empty(records.NamedTuple):
    pass


USES = {
    "repr": repr,
    "equal": lambda one: (one == ("a", (1, 2), "none"), hash(one), len(one), one[1:]),
    "fields": lambda one: (one.name, one.sizes, one.more, one.longest),
    "class": lambda one: (type(one)._fields, type(one)._field_defaults, type(one).__match_args__, type(one).__doc__),
    "annotations": lambda one: type(one).__annotations__,
    "asdict": lambda one: one._asdict(),
    "replace": lambda one: one._replace(more="x", name="b"),
    "make": lambda one: type(one)._make(iter("abc")),
    "make of two": lambda one: type(one)._make("ab"),
    "make of four": lambda one: type(one)._make("abcd"),
    "by name": lambda one: type(one)(sizes=(), name="c"),
    "too few": lambda one: type(one)("a"),
    "too many": lambda one: type(one)(1, 2, 3, 4),
    "unknown": lambda one: type(one)(1, 2, other=3),
    "set": lambda one: setattr(one, "name", "b"),
    "set another": lambda one: setattr(one, "other", "b"),
    "copy": lambda one: copy.deepcopy(copy.copy(one)),
    "pickle": lambda one: [pickle.loads(pickle.dumps(one, level)) for level in range(2, pickle.HIGHEST_PROTOCOL + 1)],
}


def outcome(use, kind):
    try:
        found = use(kind("a", (1, 2)))
    except Exception as error:
        return type(error)
    return str(found).replace(kind.__name__, "Record")


@pytest.mark.parametrize("name", USES)
def test_as_those_of_typing(name):
    assert outcome(USES[name], Ours) == outcome(USES[name], Theirs)


def test_replace_no_such_field():
    with pytest.raises(TypeError, match=r"unexpected field names: \['kind', 'other'\]"):
        Ours("a", ())._replace(name="b", kind=2, other=1)


def test_without_fields():
    assert Empty() == ()
    assert repr(Empty()) == "Empty()"
    assert pickle.loads(pickle.dumps(Empty())) == Empty()


def test_classes_of_one_size_keep_apart():
    class Other(records.NamedTuple):
        left: int
        middle: int
        right: int = 3

    assert Other(1, middle=2) == (1, 2, 3)
    assert Ours("a", ()).more == "none"
    with pytest.raises(TypeError, match=r"Other\.__new__\(\) missing 1 required positional argument: 'middle'"):
        Other(1)
