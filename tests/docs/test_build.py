"""The mkdocs configuration: every page is in the navigation, and nothing is loaded from other sites."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from docs.site.links import for_site

mkdocs = pytest.importorskip("mkdocs")
pytest.importorskip("material")

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "docs" / "site" / "mkdocs.yml"


@pytest.fixture
def config(monkeypatch, tmp_path):
    """The configuration with the test's output directory."""
    from mkdocs.config import load_config

    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    return load_config(str(CONFIG), site_dir=str(tmp_path / "site"))


def listed(nav):
    """The paths of a navigation."""
    for entry in nav:
        (below,) = entry.values() if isinstance(entry, dict) else (entry,)
        yield from listed(below) if isinstance(below, list) else (below,)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_page_is_in_the_navigation(config):
    done = config.plugins.on_config(config)
    paths = [path for path in listed(done.nav) if ":" not in path]
    assert len({*paths}) == len(paths)
    docs = ROOT / "docs"
    written = [path.relative_to(docs).as_posix() for path in (*docs.glob("*.md"), *docs.glob("cookbook/*.md"))]
    assert {*paths} == {*written, *(path for path in done.made if path.endswith(".md"))}


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_loaded_from_elsewhere(config):
    assert config.strict
    assert config.theme["font"] is False
    assert config.repo_url is None  # the theme requests the number of stars from that site
    loaded = (*config.extra_css, *config.extra["polyfills"], *map(str, config.extra_javascript))
    assert len(loaded) == 3
    assert not any("://" in address for address in loaded)


BLOCK = re.compile(r"<(/?(?:ul|ol|li|table|tr|pre|h[1-6]|blockquote|img))\b")
WRITTEN = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "cookbook").glob("*.md"))]


@pytest.mark.parametrize("path", [*WRITTEN, ROOT / "README.md", ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_pages_have_the_same_structure_in_both_places(config, path):
    """Lists, tables and blocks are the same in mkdocs and in CommonMark with tables, as used by the repository."""
    import markdown

    MarkdownIt = pytest.importorskip("markdown_it").MarkdownIt  # installed with newer releases of rich

    text = path.read_text(encoding="utf-8")
    made = markdown.Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
    site = re.sub(
        r'<div class="highlight">.*?</div>', "<pre></pre>", made.convert(for_site(text, path.name)), flags=re.S
    )
    assert BLOCK.findall(site) == BLOCK.findall(MarkdownIt("commonmark").enable("table").render(text))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_built", [True, False])
def test_the_playground_is_copied_and_linked_where_it_was_built(config, monkeypatch, tmp_path, is_built):
    from mkdocs.structure.files import Files

    hooks = next(module for name, module in config.hooks.items() if name.endswith("hooks.py"))
    folder = tmp_path / "build"
    monkeypatch.setattr(hooks, "PLAYGROUND", folder)
    config.made = {}
    if is_built:
        (folder / "pyodide").mkdir(parents=True)
        for name in ("index.html", "pyodide/python.zip"):
            (folder / name).write_text("x", encoding="utf-8")
    found = {file.src_uri for file in config.plugins.on_files(Files([]), config=config)}
    assert ({"playground/index.html", "playground/pyodide/python.zip"} <= found) == is_built
    page = SimpleNamespace(file=SimpleNamespace(src_uri="playground.md"))
    text = hooks.on_page_markdown("# The playground\n\nAn editor.\n", page, config, Files([]))
    assert ("](playground/index.html)" in text) == is_built
