"""Collects every problem of a file, so that a person sees all of them at once."""

from ..errors import Place, Problem, Source, SpecError, listed, nearest

MOST = 50  # problems shown of one file


class Problems:
    """The problems found so far in one source."""

    def __init__(self, source: Source):
        self.source = source
        self.found: list[Problem] = []

    def add(self, code, message, at, help=None):
        """Note a problem at (line, column, width) or at a node."""
        self.found.append(Problem(code, message, Place(self.source, *getattr(at, "at", at)), help))

    def unknown(self, what, name, at, names):
        """Note an unknown name, with the nearest of those known."""
        names = sorted(names)
        help = nearest(name, names)
        if help is None and names:
            help = f"known: {listed(names[:30])}" if len(names) <= 30 else None
        self.add(f"unknown-{what.replace(' ', '-')}", f"unknown {what} `{name}`", at, help)

    def add_all(self, error: SpecError):
        """Take over the problems of an error."""
        self.found.extend(error.problems)

    def raise_any(self):
        """Raise what was found, sorted by line; do nothing when all is well."""
        if self.found:
            ordered = sorted(self.found, key=_position)
            raise SpecError(*dict.fromkeys(ordered[:MOST]))


def _position(problem):
    place = problem.place
    return (place.source.path, place.line, place.column) if place else ("", 0, 0)
