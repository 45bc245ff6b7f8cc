"""Addresses that are right in two places: on the repository's pages, where texts are written, and in the site."""

import posixpath
import re

REPOSITORY = "https://github.com/costcalc/costcalc"
BLOB = f"{REPOSITORY}/blob/main/"
RAW = "https://raw.githubusercontent.com/costcalc/costcalc/main/docs/"
ROOTED = {  # texts beside `docs` -> their page in the site
    "README.md": "overview.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "vulnerability.md",
    "docs/site/README.md": "site.md",
}
_FENCE = re.compile(r"^(```+)(\w+) ([\w./-]+)$", re.M)
_BLOCK = re.compile(r"^(```+)[^\n]*\n.*?^\1$", re.S | re.M)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def slug(text: str, separator: str = "-") -> str:
    """The address of a heading, as the repository's pages make it."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", separator)


def outside_code(change: object, text: str) -> str:
    """A Markdown text whose parts outside of blocks of code are changed."""
    parts, at = [], 0
    for block in _BLOCK.finditer(text):
        parts += [change(text[at : block.start()]), block.group()]
        at = block.end()
    return "".join([*parts, change(text[at:])])


def for_site(text: str, page: str) -> str:
    """A page's Markdown for the site: files that blocks are named after as titles, and links that stay inside.

    page  the path below `docs`: `cookbook/bert.md`
    """
    folder = posixpath.dirname(f"docs/{page}")
    text = outside_code(lambda part: _LINK.sub(lambda link: link[1] + moved(link[2], folder) + link[3], part), text)
    return _FENCE.sub(r'\1\2 title="\3"', text)


def moved(address: str, folder: str) -> str:
    """An address in the site, of a link that stands in a folder of the repository: `docs/cookbook`.

    Pages of `docs` stay as they are; other files are shown by the repository.
    """
    if address.startswith(RAW):
        return _relative("docs/" + address.removeprefix(RAW), folder)
    if ":" in address or address.startswith("#"):
        return address
    path, hash, anchor = address.partition("#")
    whole = posixpath.normpath(posixpath.join(folder, path))
    if whole in ROOTED:
        return _relative(f"docs/{ROOTED[whole]}", folder) + hash + anchor
    if whole.startswith("docs/") and not whole.endswith(".py") and not whole.startswith("docs/site/"):
        return address
    return BLOB + whole + hash + anchor


def _relative(path: str, folder: str) -> str:
    return posixpath.relpath(path, folder)


def from_root(text: str, path: str) -> str:
    """A text that stands outside of `docs` as a page of the site, its links moved.

    path  where it stands: `CHANGELOG.md`
    """
    folder = posixpath.dirname(path)

    def change(part: str) -> str:
        return _LINK.sub(lambda link: link[1] + _from(link[2], folder) + link[3], part)

    return outside_code(change, text)


def _from(address: str, folder: str) -> str:
    """The address of a link in a page directly below `docs` that stands elsewhere."""
    found = moved(address, folder)
    path, hash, anchor = found.partition("#")
    if ":" in found or not path:
        return found
    return posixpath.relpath(posixpath.normpath(posixpath.join(folder, path)), "docs") + hash + anchor
