"""What is released: the contents of wheel and sdist, the metadata, and the files that people look for."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

import costcalc

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist of what git knows, built by the backend itself."""
    pytest.importorskip("hatchling")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("this is no clone")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    line = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    done = subprocess.run(line, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def test_the_wheel_has_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names, metadata = wheel.namelist(), wheel.read(next(n for n in wheel.namelist() if n.endswith("METADATA")))
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"costcalc", f"costcalc-{costcalc.__version__}.dist-info"}
    for name in ("py.typed", "configs/mobilenet.yaml", "metrics/counters/thop.yaml", "__main__.py"):
        assert f"costcalc/{name}" in names
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "costcalc").rglob("*.py")}
    assert code <= {*names}
    assert not [name for name in names if "__pycache__" in name or "tests/" in name or name.endswith(".pyc")]
    text = metadata.decode()
    for url in ("Homepage", "Documentation", "Changelog", "Issues"):
        assert f"Project-URL: {url}, https://github.com/costcalc/costcalc" in text
    assert "Classifier: Typing :: Typed" in text
    for extra in ("plot", "parquet", "onnx", "torch", "test"):
        assert f"Provides-Extra: {extra}" in text


def test_the_sdist_has_what_its_tests_need(built):
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    for name in (
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CITATION.cff",
        "LICENSE",
        "tests/conftest.py",
        "docs/spec.md",
        ".ci/run",
    ):
        assert name in names
    assert not [name for name in names if "__pycache__" in name]


def test_pictures_of_the_readme_have_whole_addresses():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", readme)
    assert pictures
    for address in pictures:
        path = address.removeprefix("https://raw.githubusercontent.com/costcalc/costcalc/main/")
        assert path != address
        assert (ROOT / path).is_file()


def test_the_version_is_said_alike():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == costcalc.__version__
    assert f"## {costcalc.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_is_named_to_contributors_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:costcalc|docs|\.ci)/[\w./-]+)`", text)
    assert len(paths) > 8
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*")), ids=lambda path: path.name)
def test_templates_are_readable(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yml":
        assert yaml.safe_load(text)["blank_issues_enabled"]
    else:
        head = yaml.safe_load(text.split("---")[1])
        assert {*head} == {"name", "about"}
        assert "smallest" in text
