"""Which tests judge which file, the quickest first. Rules and arithmetic have more judges than tests (`judging`)."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RULES = ("costcalc/ops/", "costcalc/num/")
QUICK = ("test_arithmetic", "test_unknown_sizes", "test_rules", "test_torch_ops")
SLOW = ("test_sweep", "test_loops", "test_formula")
CHECKS = ("test_check_config", "test_check", "test_check_formats", "test_check_locked", "test_check_hostile")
JUDGES = {  # a file, or all below a folder: its tests; the longest beginning counts; `-k` makes a quick part of one
    "costcalc/budget/": (*CHECKS, "test_check_update", "test_check_ci", "test_budgets_page"),
    "costcalc/budget/updating.py": ("test_check_update", *CHECKS),
    "costcalc/budget/page.py": ("test_budgets_page", *CHECKS),
    "costcalc/budget/locking.py": ("test_check_locked", *CHECKS),
    "costcalc/budget/loosening.py": ("test_check_locked", *CHECKS),
    "costcalc/budget/junit.py": ("test_check_formats", "test_check_ci"),
    "costcalc/budget/markdown.py": ("test_check_formats", "test_check_ci", "test_budgets_page"),
    "costcalc/budget/reviews.py": ("test_check_formats", "test_check_ci", "test_check"),
    "costcalc/git.py": ("test_check", "test_check_hostile", "test_diff", "test_check_locked"),
    "costcalc/read/revisions.py": ("test_diff", "test_check", "test_check_hostile"),
    "costcalc/files.py": ("test_whole_files", "test_hostile", "test_bounded", "test_keras", "test_cli"),
    "costcalc/replacing.py": ("test_whole_files", "test_check_update"),
    "costcalc/quantities.py": ("test_check_config", "test_check_update", "test_fit", "test_reproduce"),
    "costcalc/limits.py": ("test_limits", "test_hostile", "test_onnx_hostile", "test_bounded", "test_keras"),
    "costcalc/allowance.py": ("test_bounded", "test_limits"),
    "costcalc/read/keras/file.py": ("test_keras -k zip", "test_bounded -k archive", "test_keras"),
    "costcalc/read/onnx/file.py": ("test_onnx_hostile", "test_onnx", "test_bounded"),
    "costcalc/read/onnx/weights.py": ("test_onnx_hostile", "test_onnx_parameters", "test_onnx"),
}


def judges(path: str) -> tuple[str, ...]:
    """The names of the tests of a file; of rules and arithmetic none, `judging` has them. KeyError for others."""
    if path.startswith(RULES):
        return ()
    fitting = [start for start in JUDGES if path.startswith(start)]
    if not fitting:
        raise KeyError(f"no tests are named for {path}: see tests/mutation/tests_of.py")
    return JUDGES[max(fitting, key=len)]


def chosen(judge: str) -> list[str]:
    """What pytest is given for a judge: a path, and which part of it. FileNotFoundError."""
    name, _, part = judge.partition(" -k ")
    return [located(name), *(["-k", part] if part else [])]


def located(name: str) -> str:
    """The path of a test by its name, in whatever room it is. FileNotFoundError."""
    found = sorted((ROOT / "tests").rglob(f"{name}.py"))
    if not found:
        raise FileNotFoundError(name)
    return str(found[0].relative_to(ROOT))


def targets() -> list[str]:
    """All files that can be judged."""
    parts = [*RULES, *JUDGES]
    paths = [path for part in parts for path in ([ROOT / part] if part.endswith(".py") else (ROOT / part).glob("*.py"))]
    return sorted({str(path.relative_to(ROOT)) for path in paths})
