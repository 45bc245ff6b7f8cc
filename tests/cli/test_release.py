"""Release artifacts: the contents of wheel and sdist, the metadata, and the expected files."""

import os
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
from costcalc.cli import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist of the tracked files, built by the backend."""
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
    assert tops == {"costcalc", *(f"costcalc-{costcalc.__version__}.{kind}" for kind in ("data", "dist-info"))}
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


def test_the_wheel_has_a_manual_page_of_each_command(built):
    folder = f"costcalc-{costcalc.__version__}.data/data/share/man/man1"
    with zipfile.ZipFile(built[0]) as wheel:
        pages = {name.rpartition("/")[2]: wheel.read(name).decode() for name in wheel.namelist() if folder in name}
    assert {*pages} == {"costcalc.1", "costcalc-import-torch.1", *(f"costcalc-{name}.1" for name in COMMANDS)}
    for name, text in pages.items():
        words = name.removesuffix(".1").replace("costcalc-import-torch", "costcalc-import torch").split("-", 1)
        assert text.startswith(f".TH {name.removesuffix('.1').upper()}".replace("-", r"\-"))
        assert f".SH SYNOPSIS\n.B {' '.join(words)}\n" in text
        assert ".SH OPTIONS\n" in text
        assert text.count("\n.nf\n") == text.count("\n.fi\n")


@pytest.mark.parametrize("name", ["analyze", "check", "fit"])
def test_a_manual_page_says_what_the_help_says(built, run, name):
    path = f"costcalc-{costcalc.__version__}.data/data/share/man/man1/costcalc-{name}.1"
    with zipfile.ZipFile(built[0]) as wheel:
        page = wheel.read(path).decode()
    plain = page.replace(r"\-", "-")
    for written, letter in zip(("aq", "ga", "ha", "ti"), "'`^~", strict=True):
        plain = plain.replace(rf"\({written}", letter)
    text = run(name, "--help").out
    assert len({*re.findall(r"--[\w-]+", text)}) > 15
    words = re.findall(r"[\w./%=+-]+", text.partition("Options:")[0].partition("\n\n")[2])
    assert [one for one in words if one not in plain and one.rstrip(":.-") not in plain and one != "Examples"] == []
    assert [one for one in re.findall(r"--[\w-]+", text) if one not in plain] == []


def test_groff_reads_each_manual_page(tmp_path):
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("there is no groff")
    line = [sys.executable, str(ROOT / "docs" / "manual.py"), str(tmp_path / "man1")]
    subprocess.run(line, check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    paths = sorted((tmp_path / "man1").glob("*.1"))
    done = subprocess.run([groff, "-man", "-ww", "-z", "-Tutf8", *paths], capture_output=True, text=True, check=False)
    assert len(paths) > 25
    assert done.stderr == ""


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
        "hatch_build.py",
        "docs/manual.py",
        "docs/site/mkdocs.yml",
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
