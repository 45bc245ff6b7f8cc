"""Fuzzing targets: for each command, a strategy for its files and command line."""

from hypothesis import strategies as st

from . import hostile, others
from .broken import broken
from .given import (
    AMOUNTS,
    ARCHIVE,
    BY,
    CONVENTIONS,
    DRAWN,
    EXPRESSION,
    FITTED,
    FORMATS,
    GIVEN,
    JSON,
    LIMITS,
    NAMED,
    NAMES,
    ONNX,
    PAIR,
    REVIEWS,
    REWRITES,
    SETTINGS,
    SHAPES,
    SIDES,
    SIZES,
    VALUES,
    WIDTH,
    WITH_BOTH,
    WITH_CONFIG,
    WITH_OUTER,
    WITH_PRICES,
    alone,
    command,
    files,
    on_models,
    option,
    with_points,
)

_CONFIG = "config.json"
LANGUAGE = st.sampled_from((
    *(["analyze", _CONFIG], ["analyze", _CONFIG, "--set", "past=9", "--set", "new=1"], ["formula", _CONFIG]),
    *(["import", "hf", _CONFIG], ["check", _CONFIG, "--max", "params=1"], ["validate", _CONFIG]),
))  # fmt: skip

TARGETS = {
    "analyze": command("analyze", "net.yaml", SETTINGS, BY, option("--format", FORMATS), option("-c", CONVENTIONS)),
    "broken": command("analyze", "net.yaml", "--json", of=files(broken())),
    "expression": command("validate", "net.yaml", of=EXPRESSION),
    "include": command("analyze", "outer.yaml", "--json", of=WITH_OUTER),
    "validate": command("validate", "net.yaml"),
    "sweep": command("sweep", "net.yaml", *[option("--vary", VALUES)] * 2, option("--format", FORMATS)),
    "formula": command("formula", "net.yaml"),
    "fit": command("fit", "net.yaml", "--vary", VALUES.map(alone), "--max", LIMITS.map(alone), FITTED, of=WITH_BOTH),
    "explain": command("explain", "net.yaml", st.sampled_from(([], ["conv*"], ["x1"]))),
    "compare": command("compare", "net.yaml", REWRITES, option("--format", FORMATS)),
    "diff": command("diff", "net.yaml", "b.yaml", option("--format", FORMATS), of=PAIR),
    "reproduce": command("reproduce", "net.yaml", option("--format", FORMATS)),
    "check": command("check", option("--format", REVIEWS), AMOUNTS, of=WITH_CONFIG),
    "conventions": command("conventions", "mine.yaml", of=WITH_PRICES),
    "prices": command("analyze", "net.yaml", "-c", "mine.yaml", of=WITH_PRICES),
    "reconcile": command(
        "reconcile", "net.yaml", SIDES.map(alone), SIDES.map(alone), option("--metric", st.just("params")), of=WITH_BOTH
    ),
    "points": with_points(),
    "plot": command("plot", "net.yaml", option("--vary", VALUES), DRAWN, "-o", "plot.svg"),
    "import": command("import", "net.yaml", SETTINGS, WIDTH),
    "to onnx": command("export", "net.yaml", SETTINGS, "-o", "m.onnx", "--weights", "none"),
    "to torch": command("export", "net.yaml", SETTINGS, "-o", "m.py"),
    "onnx": command("analyze", "m.onnx", SIZES, BY, option("--format", FORMATS), of=ONNX),
    "from onnx": command("import", "m.onnx", SIZES, WIDTH, of=ONNX),
    "keras": st.one_of(command("analyze", "m.json", SIZES, of=JSON), command("import", "m.keras", SIZES, of=ARCHIVE)),
    "models": on_models(),
    "attributes": command("analyze", "m.onnx", of=hostile.attributes().map(lambda data: {"m.onnx": data})),
    "structures": command("analyze", "m.json", of=hostile.structures().map(lambda text: {"m.json": text.encode()})),
    "archives": command("analyze", "m.keras", of=hostile.archives().map(lambda data: {"m.keras": data})),
    "trees": hostile.trees(),
    "tflite": command("analyze", "m.tflite", SIZES, BY, of=others.lite().map(lambda data: {"m.tflite": data})),
    "configs": command(LANGUAGE, of=others.CONFIGURATIONS.map(lambda data: {"config.json": data})),
    "exports": others.exports(),
    "modules": others.modules(),
    "words": command(NAMED, NAMES.map(alone), of=st.just({})),
    "from torch": command(
        "import", "torch", "no:module", "--input", SHAPES.map(alone), "--kwargs", GIVEN.map(alone), of=st.just({})
    ),
}
