"""What mkdocs calls while it builds the site: pages made from the program, links, and how headings are called."""

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
    """Headings have the addresses that they have on the page of the repository; folders of `nav` list their pages."""
    config.mdx_configs["toc"] = {**config.mdx_configs.get("toc", {}), "slugify": links.slug}
    config.made = pages.made()
    config.nav = [_listed(one, config.made) for one in config.nav]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds what is made from the program, and the playground where it is built."""
    for path, content in config.made.items():
        files.append(File.generated(config, path, content=content, inclusion=InclusionLevel.INCLUDED))
    static = {f"assets/costcalc/{name}": Path(__file__).with_name(name) for name in STATIC}
    built = (path for path in PLAYGROUND.rglob("*") if path.is_file())
    static |= {f"playground/{path.relative_to(PLAYGROUND).as_posix()}": path for path in built}
    for name, path in static.items():
        files.append(File.generated(config, name, abs_src_path=str(path), inclusion=InclusionLevel.INCLUDED))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Names of files above blocks; links out of `docs` go to their page here, or to the repository."""
    if page.file.src_uri == "index.md":
        page.meta["hide"] = ["navigation", "toc"]
    found = links.for_site(markdown, page.file.src_uri)
    if page.file.src_uri == "playground.md" and PLAYGROUND.is_dir():  # a file of the site alone
        found = found.replace("\n\n", "\n\n**[Open the playground](playground/index.html)**\n\n", 1)
    return found


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """The home page has a layout of its own."""
    return f'<div class="home">{html}</div>' if page.file.src_uri == "index.md" else html


def on_post_page(output: str, page: Any, config: Any) -> str:
    """The search has a name for readers of the screen."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def _listed(entry: Any, made: Mapping[str, Any]) -> Any:
    """An entry of the navigation, with the pages of a folder instead of its name."""
    if not isinstance(entry, dict):
        return entry
    ((title, below),) = entry.items()
    if isinstance(below, list):
        return {title: [_listed(one, made) for one in below]}
    is_folder = below.endswith("/") and "//" not in below
    return {title: pages.listed(below, made) if is_folder else below}
