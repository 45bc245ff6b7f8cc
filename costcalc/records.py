"""Named tuples that are quick to define: a start of the program defines fifty of them.

`typing.NamedTuple` compiles a constructor for each class, and each annotation, which together took an eighth of a
start. Here classes of as many fields share one compiled constructor; only the names of its arguments differ. Type
checkers see the class of `typing`, and so do people: fields, defaults and methods are written and work as there.
"""

from collections import namedtuple
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Record(tuple):
        """What all have: as in `collections.namedtuple`, which writes these methods for each class anew."""

        __slots__ = ()

        @classmethod
        def _make(cls, values):
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changes):
            made = tuple.__new__(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"Got unexpected field names: {[*changes]!r}")
            return made

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)

    class _Defining(type):
        """Makes the statement `class Name(NamedTuple)` define a subclass of `_Record`."""

        def __new__(cls, name, bases, body):
            hints = body.get("__annotations__") or type(name, (), dict(body)).__annotations__
            fields, shared = tuple(hints), _of_size(len(hints))
            defaults = {field: body[field] for field in fields if field in body}
            code = shared.__new__.__code__
            code = code.replace(co_varnames=(code.co_varnames[0], *fields))
            new = FunctionType(code, shared.__new__.__globals__, "__new__", tuple(defaults.values()))
            new.__qualname__ = f"{name}.__new__"
            readers = {field: getattr(shared, f"at_{number}") for number, field in enumerate(fields)}
            own = {"__slots__": (), "__match_args__": fields, "_fields": fields, "_field_defaults": defaults}
            return type(name, (_Record,), {**body, **own, **readers, "__new__": new})

    @cache
    def _of_size(fields):
        """A named tuple of that many fields, whose constructor and readers of fields all of its size use."""
        return namedtuple("_", [f"at_{number}" for number in range(fields)])

    NamedTuple = type.__new__(_Defining, "NamedTuple", (), {})
