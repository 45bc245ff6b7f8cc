"""Named tuples that take a tenth of the time to define: classes are a large part of every start of the program.

`class Point(NamedTuple)` reads, checks and behaves as with `typing.NamedTuple`, which also compiles each annotation
and a constructor. Here constructors with as many fields share their code.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from types import CodeType, FunctionType

TYPE_CHECKING = False  # as type checkers know it

if TYPE_CHECKING or sys.version_info >= (3, 14):  # from then on, annotations are compiled when they are asked for
    from typing import NamedTuple as NamedTuple
else:
    from collections import _tuplegetter as getter

    class _Record(tuple):
        """What all named tuples have in common."""

        __slots__ = ()
        _fields = ()

        @classmethod
        def _make(cls, values):
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changed):
            made = self._make(map(changed.pop, self._fields, self))
            if changed:
                raise ValueError(f"Got unexpected field names: {list(changed)!r}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            values = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in values)})"

        def __getnewargs__(self):
            return tuple(self)

    @lru_cache(None)
    def _constructor(count: int) -> CodeType:
        """The code that makes a tuple of so many arguments."""
        args = "".join(f"_{number}, " for number in range(count))
        return eval(f"lambda _cls, {args}: _new(_cls, ({args}))", {}).__code__

    class _Definition(type):
        """Makes of the body of a class a named tuple with its fields, defaults and methods."""

        def __new__(cls, name, bases, body):
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body.pop(field) for field in fields if field in body}
            code = _constructor(len(fields)).replace(co_varnames=("_cls", *fields), co_name="__new__")
            new = FunctionType(code, {"_new": tuple.__new__}, "__new__", tuple(defaults.values()))
            new.__annotations__ = body.get("__annotations__", {})
            getters = {field: getter(number, "") for number, field in enumerate(fields)}
            own = {"__slots__": (), "__new__": new, "_fields": fields, "__match_args__": fields}
            doc = body.get("__doc__") or f"{name}({', '.join(fields)})"
            return type(name, (_Record,), {**body, **getters, **own, "_field_defaults": defaults, "__doc__": doc})

    class _Fields:
        """The base that a class names."""

        def __mro_entries__(self, bases):
            return _BASES

    _BASES = (type.__new__(_Definition, "NamedTuple", (), {}),)
    NamedTuple = _Fields()
