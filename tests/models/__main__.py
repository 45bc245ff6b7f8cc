"""Whole models: costcalc's counts equal PyTorch's, or it reports them as incomplete.

    pip install torch==2.13.0 && pip install --no-deps torchvision==0.28.0 timm && pip install transformers pillow
    python -m tests.models
    python -m tests.models --library timm --only 'swin|vit' --jobs 2
    python -m tests.models --quick

Models of torchvision, timm and transformers are created without weights (no downloads), read like `costcalc import
torch` does, and compared with `sum(p.numel())` over their parameters and with half of the FLOPs of FlopCounterMode
with the math kernel of attention. The spec written by `import` must cost the same as the report under every convention.
`onnx` and `keras` compare recorded files with the counts of PyTorch and Keras.

right: complete, equal, and a spec with the same cost. incomplete: the totals are marked as lower bounds. no spec: the
report is right, but no spec is written. refused: an error names the unknown operator. WRONG: a figure marked as
complete that differs from the expected one, a lower bound above it, or a spec with other counts. not run: PyTorch
cannot create or run it here. Exit code 1 if anything is wrong.
"""

import argparse
import re
import sys

from . import recorded, worker
from .build import drawn, entries
from .judge import WRONG
from .table import line, others, table

LIBRARIES = ("torchvision", "timm", "transformers")
QUICK = {  # a few seconds each
    *("resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5"),
    *("lcnet_035", "gmixer_12_224", "vit_tiny_patch16_224"),
    *("bert", "gpt2", "t5", "llama", "mixtral", "wav2vec2", "convnext"),
}


def main() -> int:
    """Try models and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", action="append", choices=(*LIBRARIES, *recorded.KINDS), help="[default: all]")
    parser.add_argument("--only", default="", metavar="PATTERN", help="families or models that match it")
    parser.add_argument("--quick", action="store_true", help="a few models of each library, seconds each")
    parser.add_argument("--others", type=int, metavar="SEED", help="models of timm that are not on the list, instead")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120, help="a model may take [120]")
    parser.add_argument("--gigabytes", type=float, default=8, help="of memory a model may take [8]")
    given = parser.parse_args()
    found = []
    for one in _tried(given):
        found.append(one)
        print(f"{len(found)}. {line(one)}", file=sys.stderr, flush=True)
    print(f"{table(found)}\n\n{others(found)}")
    return int(not found or any(one.verdict == WRONG for one in found))


def _tried(given):
    """Yield the verdicts."""
    if given.others is not None:
        wanted = [one for one in drawn("timm", given.others) if _matches(one, given.only)]
        yield from worker.verdicts(wanted, given.jobs, given.seconds, given.gigabytes)
        return
    for library in given.library or (LIBRARIES if given.quick else (*LIBRARIES, *recorded.KINDS)):
        if library in recorded.KINDS:
            yield from recorded.verdicts(library, given.only)
            continue
        wanted = [
            one for one in entries(library) if _matches(one, given.only) and (not given.quick or one.name in QUICK)
        ]
        yield from worker.verdicts(wanted, given.jobs, given.seconds, given.gigabytes)


def _matches(entry, pattern):
    return bool(re.search(pattern, entry.name) or re.search(pattern, entry.family))


if __name__ == "__main__":
    sys.exit(main())
