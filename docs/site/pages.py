"""All pages generated when the site is built: path below `docs` -> content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import counters, gallery, links, reference

ROOT = Path(__file__).resolve().parents[2]
COOKBOOK = ROOT / "docs" / "cookbook"


def made() -> dict[str, str]:
    """Every generated page and chart."""
    return {**rooted(), **reference.pages(), **gallery.pages(), **counters.pages()}


def rooted() -> dict[str, str]:
    """Files outside `docs` as pages."""
    rooted = links.ROOTED.items()
    return {page: links.from_root((ROOT / name).read_text(encoding="utf-8"), name) for name, page in rooted}


def listed(folder: str, made: Mapping[str, str]) -> list[Any]:
    """The pages of a folder for the navigation, index first: generated pages, or those of the cookbook."""
    if folder == "cookbook/":
        return sorted((f"cookbook/{path.name}" for path in COOKBOOK.glob("*.md")), key=_index_first)
    found = [path for path in made if path.startswith(folder) and path.endswith(".md")]
    here = sorted((path for path in found if "/" not in path.removeprefix(folder)), key=_index_first)
    below = sorted({path.removeprefix(folder).partition("/")[0] for path in {*found} - {*here}})
    return [*here[:1], *({name.capitalize(): listed(f"{folder}{name}/", made)} for name in below), *here[1:]]


def _index_first(path: str) -> tuple[bool, str]:
    return not path.endswith(("/index.md", "/README.md")), path
