"""Limits on input. Specs are untrusted; each limit bounds time or memory.

Those of RAISABLE can be raised for one run of the program: COSTCALC_LIMITS="layers=1000000 nesting=100". The others
are those of the arithmetic itself.
"""

from __future__ import annotations

FILE_BYTES = 16_000_000
VALUES = 550_000
KEYS = 100_000
ENTRIES = 2_000
INCLUDES = 200
INCLUDE_DEPTH = 10
NESTING = 60
BLOCK_DEPTH = 40
EXPRESSION_CHARS = 1_000
EXPRESSION_DEPTH = 60
EXPRESSION_STEPS = 1_000
LAYERS = 100_000
COMPARED = 50_000
NODES = 50_000
WRITTEN = 15_000
SECONDS = 60
RUN_SECONDS = 600
GRAPH_FILE_BYTES = 2**31  # weights are skipped: where protocol buffers end
GRAPH_BYTES = 32_000_000
GRAPH_FIELDS = 2_000_000
DIGITS = 18
SIZE = 2**40
EXPONENT = 64
RANK = 8
TOTAL = 2**62  # past it 64-bit arithmetic would wrap
FOLDED = 4_096  # elements of a constant whose values are followed
OPEN_AXES = 1_000  # of the inputs of a graph
UNROLLED = 10_000  # runs of the bodies of loops whose shapes change

RAISABLE = {  # what a limit is on
    "FILE_BYTES": "bytes of a spec, and of all that it includes",
    "VALUES": "values in one file",
    "KEYS": "keys of one map",
    "ENTRIES": "variables, functions, inputs or blocks of one spec",
    "INCLUDES": "specs that one spec includes",
    "INCLUDE_DEPTH": "specs inside specs",
    "NESTING": "lists and maps inside each other, and layers, those of blocks counted",
    "BLOCK_DEPTH": "blocks inside blocks",
    "EXPRESSION_CHARS": "characters of one expression",
    "EXPRESSION_DEPTH": "levels of one expression, those of functions counted",
    "EXPRESSION_STEPS": "operations of one expression, those of functions counted",
    "LAYERS": "layers after repeats and blocks are expanded",
    "COMPARED": "layers of all designs of one comparison together",
    "NODES": "nodes of an ONNX graph, or layers of a Keras configuration",
    "WRITTEN": "layers or operators of a network that is exported or imported",
    "SECONDS": "of processor time to read one network, and to walk through it",
    "RUN_SECONDS": "of processor time for one command",
    "GRAPH_FILE_BYTES": "bytes of an ONNX file with its weights",
    "GRAPH_BYTES": "bytes of an ONNX file without its weights",
    "GRAPH_FIELDS": "parts of an ONNX file that are looked at",
}
FIXED = {
    "DIGITS": "digits of one number",
    "SIZE": "of one dimension, kernel or width",
    "EXPONENT": "of a power",
    "RANK": "dimensions of a tensor",
    "TOTAL": "of any total",
}


def hint(name: str, help: str | None = None) -> str:
    """The help for an error about a limit: how to stay below it, if there is something to say, and how to raise it."""
    raising = f"COSTCALC_LIMITS={name.lower()}=N in the environment raises this limit"
    return f"{help}; {raising}" if help else raising


def value(name: str) -> int:
    """What a limit is now, by its name in any case."""
    return globals()[name.upper()]


def raise_to(name: str, number: int) -> None:
    """Set one of RAISABLE, by its name in any case. KeyError when there is none."""
    if name.upper() not in RAISABLE:
        raise KeyError(name)
    globals()[name.upper()] = number
