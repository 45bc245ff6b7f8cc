"""Prints the lower bound of each requirement that pyproject.toml declares, as an exact one: `click==8.1`.

What it prints is installed and tried by `.ci/run`; tests/cli/test_bounds.py sees to it that nothing is left out but
`torch`, which is too large to install twice: the last steps of `.ci/run` have its lowest version.
"""

import re
import sys
from pathlib import Path

TABLES = ("build-system]", "project]", "project.optional-dependencies]")


def bounds(text: str) -> dict[str, str]:
    """Package -> lower bound, of the dependencies, the extras and the build. Raises SystemExit for one with two."""
    tables = [table for table in re.split(r"^\[", text, flags=re.M) if table.startswith(TABLES)]
    found: dict[str, str] = {}
    for match in re.finditer(r'"(?!torch>)([A-Za-z0-9][\w.-]*)>=([\w.]+)"', "\n".join(tables)):
        name, bound = match.groups()
        if found.setdefault(name, bound) != bound:
            raise SystemExit(f"{name} has two lower bounds: {found[name]} and {bound}")
    return found


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "pyproject.toml")
    print("\n".join(f"{name}=={bound}" for name, bound in sorted(bounds(path.read_text(encoding="utf-8")).items())))
