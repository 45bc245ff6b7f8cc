"""Links are correct on the pages of the repository and in the site."""

import re
from pathlib import Path

import pytest
import yaml

from docs.site import links
from tests.docs.built import faults

ROOT = Path(__file__).parents[2]
TEXTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "cookbook").glob("*.md")),
    ROOT / "docs" / "site" / "README.md",
]


def without_code(text):
    return re.sub(r"^(```+).*?^\1$", "", text, flags=re.S | re.M)


def anchors(path):
    headings = re.findall(r"^#+ (.*)$", without_code(path.read_text(encoding="utf-8")), re.M)
    return {links.slug(heading) for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_repository_lead_somewhere(path):
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text(encoding="utf-8")))
    assert found or path.stem != "README"  # each of them leads to other pages
    for address in found:
        name, _, anchor = address.partition("#")
        if ":" in address:
            continue
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), address
        assert not anchor or anchor in anchors(target), address


@pytest.mark.parametrize(
    ("heading", "address"),
    [
        ("A convention of your own", "a-convention-of-your-own"),
        ("Does it fit in 256 KiB of memory?", "does-it-fit-in-256-kib-of-memory"),
        ("From Python and other models", "from-python-and-other-models"),
        ("`costcalc --help`", "costcalc---help"),
        ("import_", "import_"),
    ],
)
def test_headings_have_the_addresses_of_the_repository(heading, address):
    assert links.slug(heading) == address


@pytest.mark.parametrize(
    ("page", "text", "shown"),
    [
        ("guard.md", "[a](budgets.md#verdicts)", "[a](budgets.md#verdicts)"),
        ("cookbook/bert.md", "[a](../spec.md)", "[a](../spec.md)"),
        ("cookbook/bert.md", "[a](../../CHANGELOG.md)", "[a](../changelog.md)"),
        ("page.md", "[a](../README.md#start)", "[a](overview.md#start)"),
        (
            "page.md",
            "[a](../tests/web/pages.py)",
            "[a](https://github.com/costcalc/costcalc/blob/main/tests/web/pages.py)",
        ),
        ("page.md", "[a](pictures.py)", "[a](https://github.com/costcalc/costcalc/blob/main/docs/pictures.py)"),
        ("page.md", "[a](https://example.org/x.md)", "[a](https://example.org/x.md)"),
        ("page.md", "```text\n[a](../README.md)\n```", "```text\n[a](../README.md)\n```"),
        ("paper.md", "```yaml tiny.yaml\na: 1\n```", '```yaml title="tiny.yaml"\na: 1\n```'),
    ],
)
def test_links_move_with_the_page(page, text, shown):
    assert links.for_site(text, page) == shown


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        ("README.md", "[docs/spec.md](docs/spec.md)", "[docs/spec.md](spec.md)"),
        ("README.md", "[a](CONTRIBUTING.md)", "[a](contributing.md)"),
        ("SECURITY.md", "[the limits](docs/security.md#limits)", "[the limits](security.md#limits)"),
        ("README.md", f"![a]({links.RAW}analyze.svg)", "![a](analyze.svg)"),
        ("README.md", "[a](costcalc.yaml)", f"[a]({links.BLOB}costcalc.yaml)"),
        ("docs/site/README.md", "[a](../spec.md)", "[a](spec.md)"),
    ],
)
def test_texts_of_the_root_link_inside_of_the_site(path, text, shown):
    assert links.from_root(text, path) == shown


def test_faults_of_a_built_site_are_found(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.svg").write_text("<svg/>")
    (tmp_path / "sub" / "b.html").write_text('<h1 id="top">b</h1><a href="../a.html#x">a</a>')
    good = (
        '<p id="x"><a href="sub/b.html#top">b</a><img src="a.svg"><a href="https://example.org">e</a><a href="#x">x</a>'
    )
    (tmp_path / "a.html").write_text(good)
    assert list(faults(tmp_path)) == []
    bad = (
        '<a href="sub/b.html#bottom">1</a><a href="c.html">2</a><script src="https://cdn.example.org/x.js"></script>'
        '<source srcset="a.svg 1x, d.svg 2x"><link href="//fonts.example.org/f.css">'
    )
    (tmp_path / "a.html").write_text(good + bad)
    found = [fault.split(": ", 1)[1] for fault in faults(tmp_path)]
    assert found == [
        "sub/b.html#bottom: there is no such anchor",
        "c.html: there is no such file",
        "https://cdn.example.org/x.js: loaded from another site",
        "d.svg: there is no such file",
        "//fonts.example.org/f.css: loaded from another site",
    ]


def test_every_page_that_is_written_stands_in_the_navigation():
    """A missing page fails the build of the site; this test detects it without mkdocs."""
    nav = yaml.safe_load((ROOT / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = re.findall(r"[\w/]+\.md", str(nav))
    assert [path.name for path in (ROOT / "docs").glob("*.md") if path.name not in listed] == []
    assert len({*listed}) == len(listed)
