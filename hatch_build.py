"""Builds the manual pages into wheels, from the help of the program: see docs/manual.py."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface):
    """Adds share/man/man1 to the data of a wheel. An editable installation has none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages and name them."""
        if version == "editable":
            return
        self.folder = tempfile.TemporaryDirectory()
        sys.path[:0] = [self.root, str(Path(self.root, "docs"))]
        try:
            from manual import write

            paths = write(Path(self.folder.name))
        finally:
            del sys.path[:2]
        build_data["shared_data"].update({str(path): f"share/man/man1/{path.name}" for path in paths})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written."""
        if version != "editable":
            self.folder.cleanup()
