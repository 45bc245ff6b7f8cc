"""mkdocs hooks of the site: generated pages, links, and heading anchors."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.site import links, pages  # noqa: E402

PLAYGROUND = ROOT / "docs" / "playground" / "build"
STATIC = "site.css", "site.js", "iframe-worker.js"


def on_config(config: Any) -> Any:
    """Use the heading anchors of the repository, and expand folders in `nav` to their pages."""
    config.mdx_configs["toc"] = {**config.mdx_configs.get("toc", {}), "slugify": links.slug}
    config.made = pages.made()
    config.nav = [_listed(one, config.made) for one in config.nav]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages, and the playground if it is built."""
    for path, content in config.made.items():
        files.append(File.generated(config, path, content=content, inclusion=InclusionLevel.INCLUDED))
    static = {f"assets/costcalc/{name}": Path(__file__).with_name(name) for name in STATIC}
    built = (path for path in PLAYGROUND.rglob("*") if path.is_file())
    static |= {f"playground/{path.relative_to(PLAYGROUND).as_posix()}": path for path in built}
    for name, path in static.items():
        files.append(File.generated(config, name, abs_src_path=str(path), inclusion=InclusionLevel.INCLUDED))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Show file names above code blocks; point links out of `docs` to their page in the site, or to the repository."""
    if page.file.src_uri == "index.md":
        page.meta["hide"] = ["navigation", "toc"]
    found = links.for_site(markdown, page.file.src_uri)
    if page.file.src_uri == "playground.md" and PLAYGROUND.is_dir():  # exists only in the site
        found = found.replace("\n\n", "\n\n**[Open the playground](playground/index.html)**\n\n", 1)
    return found


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Give the home page its own layout."""
    return f'<div class="home">{html}</div>' if page.file.src_uri == "index.md" else html


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Name the search dialog for screen readers."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def _listed(entry: Any, made: Mapping[str, Any]) -> Any:
    """An entry of the navigation, with a folder replaced by its pages."""
    if not isinstance(entry, dict):
        return entry
    ((title, below),) = entry.items()
    if isinstance(below, list):
        return {title: [_listed(one, made) for one in below]}
    is_folder = below.endswith("/") and "//" not in below
    return {title: pages.listed(below, made) if is_folder else below}
