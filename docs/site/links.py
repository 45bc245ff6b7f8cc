"""Rewrite links of the repository's Markdown so that they also work in the site."""

import posixpath
import re

REPOSITORY = "https://github.com/costcalc/costcalc"
BLOB = f"{REPOSITORY}/blob/main/"
RAW = "https://raw.githubusercontent.com/costcalc/costcalc/main/docs/"
ROOTED = {  # files outside `docs` -> their page in the site
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
    """The anchor of a heading, as the repository's pages generate it."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", separator)


def outside_code(change: object, text: str) -> str:
    """A Markdown text with `change` applied to the parts outside code blocks."""
    parts, at = [], 0
    for block in _BLOCK.finditer(text):
        parts += [change(text[at : block.start()]), block.group()]
        at = block.end()
    return "".join([*parts, change(text[at:])])


def for_site(text: str, page: str) -> str:
    """The Markdown of a page for the site: file names of code blocks as titles, and links rewritten.

    page  the path below `docs`: `cookbook/bert.md`
    """
    folder = posixpath.dirname(f"docs/{page}")
    text = outside_code(lambda part: _LINK.sub(lambda link: link[1] + moved(link[2], folder) + link[3], part), text)
    return _FENCE.sub(r'\1\2 title="\3"', text)


def moved(address: str, folder: str) -> str:
    """The address in the site of a link in a folder of the repository, such as `docs/cookbook`.

    Links to pages of `docs` are unchanged; links to other files go to the repository.
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
    """A text from outside `docs` as a page of the site, with its links rewritten.

    path  the path of the file: `CHANGELOG.md`
    """
    folder = posixpath.dirname(path)

    def change(part: str) -> str:
        return _LINK.sub(lambda link: link[1] + _from(link[2], folder) + link[3], part)

    return outside_code(change, text)


def _from(address: str, folder: str) -> str:
    """The address of a link of a file outside `docs`, relative to a page directly below `docs`."""
    found = moved(address, folder)
    path, hash, anchor = found.partition("#")
    if ":" in found or not path:
        return found
    return posixpath.relpath(posixpath.normpath(posixpath.join(folder, path)), "docs") + hash + anchor
