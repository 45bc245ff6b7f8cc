"""Check the links of a built site: `python -m tests.docs.built build/site`. Every link needs a file and an anchor.

Pages may link to other sites but must not load anything from them.
"""

import posixpath
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"src", "srcset", "poster", "data"}  # attributes whose URL a browser loads automatically


class Page(HTMLParser):
    """The links, loaded URLs and anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Record the URLs and the anchor of a tag."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name == "href":
                (self.links if tag == "a" else self.loaded).append(value or "")
            elif name in LOADED and value:
                self.loaded += [part.split()[0] for part in value.split(",")] if name == "srcset" else [value]


def faults(folder):
    """A line for each broken link of a site."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        if path.name == "404.html":  # its URLs start at the root of a server
            continue
        name = path.relative_to(folder).as_posix()
        for address in dict.fromkeys([*page.links, *page.loaded]):
            fault = _fault(address, path, pages, folder, address in page.loaded)
            if fault:
                yield f"{name}: {address}: {fault}"


def _fault(address, path, pages, folder, is_loaded):
    parts = urlsplit(address)
    if parts.scheme in ("data", "mailto"):
        return ""
    if parts.scheme or parts.netloc:
        return "loaded from another site" if is_loaded else ""
    target = (
        path
        if not parts.path
        else folder
        / posixpath.normpath(posixpath.join(path.parent.relative_to(folder).as_posix(), unquote(parts.path)))
    )
    if not target.is_file():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors and not anchor.startswith("__"):
        return "there is no such anchor"
    return ""


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found) or "every link leads somewhere")
    raise SystemExit(bool(found))
