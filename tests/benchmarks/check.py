"""Time of a check of many specs: `python tests/benchmarks/check.py [SPECS]`.

A repository of 1,000 specs is created from the shipped configs, each with two checks and a budget; then every second
spec is changed. One process checks them all against the previous commit. The target is 10 s of processor time including
git, so that other load does not count; the exit code is 1 if it is missed.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIGS = Path(__file__).parents[2] / "configs"
START = "import sys; from costcalc.cli import main; main()"
TARGET = 10  # seconds for 1,000 specs
CHECKS = """\
checks:
  - spec: models/*.yaml
    max: {mult_adds: 100G, framework.params: 10G, weights_bytes: 4 GiB, any_layer.mult_adds: 100%}
    vs_base: {mult_adds: +1%, params: +0}
  - spec: models/*.yaml
    convention: framework
    max: {params: 10G, activations: 10G}
"""


def made(folder, count):
    """A repository of that many specs, every second of them changed since its commit."""
    (folder / "models").mkdir()
    (folder / "costcalc.yaml").write_text(CHECKS, encoding="utf-8")
    texts = [path.read_text(encoding="utf-8") for path in sorted(CONFIGS.glob("*.yaml"))]
    texts = [text for text in texts if "include" not in text and "budget:" not in text]
    specs = {folder / "models" / f"net_{number}.yaml": texts[number % len(texts)] for number in range(count)}
    for path, text in specs.items():
        path.write_text(f"{text}\nbudget: {{params: 10G}}\n", encoding="utf-8")
    who = ["-c", "user.name=a", "-c", "user.email=a"]
    for args in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "a"]):
        subprocess.run(["git", "-C", folder, *args], check=True)
    for path, text in list(specs.items())[::2]:
        path.write_text(f"# changed\n{text}\nbudget: {{params: 10G}}\n", encoding="utf-8")


def main():
    """Print the time; return 1 if it exceeds the target."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        made(Path(name), count)
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        line = [sys.executable, "-c", START, "check", "--base", "HEAD", "--format", "json"]
        done = subprocess.run(line, cwd=name, stdout=subprocess.DEVNULL, check=False)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, target = sum(after[:2]) - sum(before[:2]), TARGET * count / 1000
    print(f"{count:,} specs against a base: {seconds:.1f} s of processor time of {target:g}, {wall:.1f} s in all")
    return 1 if seconds > target or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
