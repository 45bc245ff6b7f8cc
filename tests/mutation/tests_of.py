"""The tests that judge each file. Rules and arithmetic also have other judges (`judging`)."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RULES = ("costcalc/ops/", "costcalc/num/")
QUICK = ("test_arithmetic", "test_unknown_sizes", "test_rules", "test_torch_ops")
SLOW = ("test_sweep", "test_loops", "test_formula")
GIT = ("test_repository",)
JUDGES = {  # a file or a folder -> its tests; those that run a mutant judge it; `-k` selects a part
    "costcalc/budget/": ("test_run", "test_locking"),
    "costcalc/budget/amounts.py": ("test_verdicts", "test_check -k says_what or units or changes"),
    "costcalc/budget/asserting.py": ("test_run",),
    "costcalc/budget/bases.py": ("test_bases", "test_run", "test_locking"),
    "costcalc/budget/cause.py": ("test_cause", "test_run"),
    "costcalc/budget/changes.py": ("test_changes", "test_exceptions", "test_kinds_of_file"),
    "costcalc/budget/checking.py": ("test_run", "test_locking"),
    "costcalc/budget/config.py": ("test_config", "test_check_config"),
    "costcalc/budget/entries.py": ("test_entries",),
    "costcalc/budget/exempting.py": ("test_exempting",),
    "costcalc/budget/judge.py": ("test_check_judge",),
    "costcalc/budget/junit.py": ("test_reports",),
    "costcalc/budget/keeping.py": ("test_updating",),
    "costcalc/budget/locking.py": ("test_locking",),
    "costcalc/budget/loosening.py": ("test_verdicts",),
    "costcalc/budget/markdown.py": ("test_reports",),
    "costcalc/budget/measure.py": ("test_measure",),
    "costcalc/budget/options.py": ("test_verdicts", "test_run"),
    "costcalc/budget/page.py": ("test_check_page",),
    "costcalc/budget/paths.py": ("test_paths", "test_verdicts -k glob", "test_kinds_of_file -k links"),
    "costcalc/budget/renames.py": ("test_bases", "test_run"),
    "costcalc/budget/reviews.py": ("test_reports",),
    "costcalc/budget/run.py": ("test_run", "test_locking"),
    "costcalc/budget/schema.py": ("test_measure",),
    "costcalc/budget/similarity.py": ("test_verdicts", "test_bases"),
    "costcalc/budget/updating.py": ("test_updating",),
    "costcalc/budget/verdict.py": ("test_verdicts",),
    "costcalc/git.py": GIT,
    "costcalc/read/repository.py": GIT,
    "costcalc/files.py": ("test_files", "test_wire -k page"),
    "costcalc/replacing.py": ("test_whole_files -k not full",),
    "costcalc/quantities.py": (
        "test_quantities",
        "test_reproduce -k figure or agreement",
        "test_check_config -k amount",
    ),
    "costcalc/limits.py": (
        "test_limits -k written_for or hint or only_what or differ or another or at_once or raises_no",
    ),
    "costcalc/allowance.py": ("test_clock", "test_allowance -k clock or skip or alone or timer"),
    "costcalc/read/keras/file.py": ("test_keras_file",),
    "costcalc/read/onnx/file.py": ("test_onnx_file", "test_onnx_hostile -k bad_files or only_the or without"),
    "costcalc/read/onnx/wire.py": ("test_wire",),
}


def judges(path: str) -> tuple[str, ...]:
    """The names of the tests of a file; none for rules and arithmetic (see `judging`). KeyError for others."""
    if path.startswith(RULES):
        return ()
    fitting = [start for start in JUDGES if path.startswith(start)]
    if not fitting:
        raise KeyError(f"no tests are named for {path}: see tests/mutation/tests_of.py")
    return JUDGES[max(fitting, key=len)]


def chosen(judge: str) -> list[str]:
    """The pytest arguments for a judge: a path and a selection. Raises FileNotFoundError."""
    name, _, part = judge.partition(" -k ")
    return [located(name), *(["-k", part] if part else [])]


def located(name: str) -> str:
    """The path of a test file by its name, in any folder. Raises FileNotFoundError unless there is one."""
    found = sorted((ROOT / "tests").rglob(f"{name}.py"))
    if len(found) != 1:
        raise FileNotFoundError(f"{name}: {len(found)} files have this name")
    return str(found[0].relative_to(ROOT))


def targets() -> list[str]:
    """All files that can be judged."""
    return _files([*RULES, *JUDGES])


def watched() -> list[str]:
    """The files that only tests judge."""
    return _files([*JUDGES])


def _files(parts: list[str]) -> list[str]:
    paths = [path for part in parts for path in ([ROOT / part] if part.endswith(".py") else (ROOT / part).glob("*.py"))]
    return sorted({str(path.relative_to(ROOT)) for path in paths})
