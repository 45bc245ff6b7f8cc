"""Named tuples that are cheap to define: each start of the program defines about fifty.

`typing.NamedTuple` compiles a constructor for each class, and each annotation, which took an eighth of the start
time. Here, all classes with the same number of fields share one precompiled constructor with renamed arguments.
Fields, defaults and methods are written and work as in `typing.NamedTuple`, which is what type checkers see.
"""

from collections import namedtuple
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    made = tuple.__new__
    CONSTRUCTORS = (  # by number of fields; a class with more fields needs a new entry
        lambda cls: made(cls, ()),
        lambda cls, a: made(cls, (a,)),
        lambda cls, a, b: made(cls, (a, b)),
        lambda cls, a, b, c: made(cls, (a, b, c)),
        lambda cls, a, b, c, d: made(cls, (a, b, c, d)),
        lambda cls, a, b, c, d, e: made(cls, (a, b, c, d, e)),
        lambda cls, a, b, c, d, e, f: made(cls, (a, b, c, d, e, f)),
        lambda cls, a, b, c, d, e, f, g: made(cls, (a, b, c, d, e, f, g)),
        lambda cls, a, b, c, d, e, f, g, h: made(cls, (a, b, c, d, e, f, g, h)),
        lambda cls, a, b, c, d, e, f, g, h, i: made(cls, (a, b, c, d, e, f, g, h, i)),
        lambda cls, a, b, c, d, e, f, g, h, i, j: made(cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k: made(cls, (a, b, c, d, e, f, g, h, i, j, k)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m: made(cls, (a, b, c, d, e, f, g, h, i, j, k, m)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n: made(cls, (a, b, c, d, e, f, g, h, i, j, k, m, n)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p: made(cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u, v: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u, v)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u, v, w: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u, v, w)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u, v, w, x: made(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, p, q, r, s, t, u, v, w, x)
        ),
    )
    _Fields = namedtuple("_Fields", [f"at_{number}" for number in range(len(CONSTRUCTORS) - 1)])
    READERS = [getattr(_Fields, name) for name in _Fields._fields]

    class _Record(tuple):
        """The methods of all records. `collections.namedtuple` creates them again for every class."""

        __slots__ = ()

        @classmethod
        def _make(cls, values):
            record = made(cls, values)
            if len(record) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(record)}")
            return record

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changes):
            record = made(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"Got unexpected field names: {[*changes]!r}")
            return record

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)

    class _Defining(type):
        """Metaclass that turns `class Name(NamedTuple)` into a subclass of `_Record`."""

        def __new__(cls, name, bases, body):
            hints = body.get("__annotations__") or type(name, (), dict(body)).__annotations__
            fields = tuple(hints)
            defaults = {field: body[field] for field in fields if field in body}
            code = CONSTRUCTORS[len(fields)].__code__.replace(co_varnames=("cls", *fields))
            new = FunctionType(code, globals(), "__new__", tuple(defaults.values()))
            new.__qualname__ = f"{name}.__new__"
            readers = dict(zip(fields, READERS, strict=False))
            own = {"__slots__": (), "__match_args__": fields, "_fields": fields, "_field_defaults": defaults}
            return type(name, (_Record,), {**body, **own, **readers, "__new__": new})

    NamedTuple = type.__new__(_Defining, "NamedTuple", (), {})
