"""Named tuples that take a fifth of the time to define: classes are a large part of every start of the program.

`class Point(NamedTuple)` reads, checks and behaves as with `typing.NamedTuple`, which also compiles each annotation.
"""

from __future__ import annotations

import sys
from collections import namedtuple

TYPE_CHECKING = False  # as type checkers know it

if TYPE_CHECKING or sys.version_info >= (3, 14):  # from then on, annotations are compiled when they are asked for
    from typing import NamedTuple as NamedTuple
else:
    _OWN = {"__annotations__", "__doc__", "__module__", "__qualname__"}

    class _Definition(type):
        """Makes of the body of a class a named tuple with its fields, defaults and methods."""

        def __new__(cls, name, bases, body):
            fields = body.get("__annotations__", {})
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            made.__annotations__, made.__qualname__ = dict(fields), body["__qualname__"]
            made.__doc__ = body.get("__doc__") or made.__doc__
            for key, value in body.items():
                if key not in fields and key not in _OWN:
                    setattr(made, key, value)
            return made

    class _Fields:
        """The base that a class names; the class that is made has `tuple` alone."""

        def __mro_entries__(self, bases):
            return (_Base,)

    _Base = type.__new__(_Definition, "NamedTuple", (), {})
    NamedTuple = _Fields()
