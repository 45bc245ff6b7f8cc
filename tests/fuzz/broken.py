"""Broken texts: valid ones with faults and tricks, down to single bytes."""

import re
from pathlib import Path

from hypothesis import strategies as st

from .grammar import specs

ROOT = Path(__file__).parent.parent.parent
WORDS = re.findall(
    r"\S+",
    """
    [] {} , : - 3x3 conv out add concat [[],[]] repeat when from as reuse layers then residual times i channels 0 -1 0.5
    1e9 alpha res ( ) max( * / // % == true null ~ & ! | > # ' " relu batchnorm global if else and not opaque unknown
    attention linear inputs vars define blocks defaults published budget height tokens parameter include: until: after:
    mobilenet.yaml ../x.yaml input convention prices numbers params checks spec max min vs_base any_layer at level why
    """,
)
TRICKS = (
    *(
        "&a [*a]",
        "*a",
        "<<: *a",
        "!!python/object:os.system",
        "!!set {a}",
        "? a",
        "| ",
        "> ",
        "---",
        "...",
        "%YAML 1.3",
    ),
    *("\t", "\0", "\x1b[31m", "\u202e", "\ud7ff", "\ufeff", "\u2028", "\x85", "é", "аlpha", "ｒｅｓ", "𝟑x𝟑", "=1+1"),
    *("9**9**9", "__import__('os')", "alpha.__class__", "lambda: 0", "a[0]", "${x}", "{{x}}", "1_000", "0x10", "1e400"),
    *("9" * 30, "9" * 5000, "0." + "9" * 500, "-" * 200 + "1", "(" * 100 + "1" + ")" * 100, "[" * 100, "{a: " * 80),
    *("a" * 300, "1000000000", "4611686018427387904", "-9223372036854775808", "nan", "inf", "0.1", "true", "[[[1]]]"),
)


def shipped():
    """The texts of the shipped configs."""
    return [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("configs/*.yaml"))]


@st.composite
def broken(draw, texts=None):
    """The bytes of a text with some faults."""
    text = draw(texts if texts is not None else st.one_of(specs(), specs(), st.sampled_from(shipped())))
    for _ in range(draw(st.integers(1, 4))):
        text = draw(st.sampled_from(ACCIDENTS))(draw, text)
    data = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 9:
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    return data


def cut(draw, text):
    """Remove some characters."""
    at = draw(st.integers(0, len(text)))
    return text[:at] + text[at + draw(st.integers(1, 30)) :]


def inserted(draw, text):
    """Insert a word or a trick."""
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from((*WORDS, *TRICKS, "\n", " ", "\n  "))) + text[at:]


def replaced(draw, text):
    """Replace a word with another."""
    found = [*re.finditer(r"[\w.]+", text)]
    if not found:
        return text
    word = draw(st.sampled_from(found))
    return text[: word.start()] + draw(st.sampled_from((*WORDS, *TRICKS))) + text[word.end() :]


def swapped(draw, text):
    """Swap two words."""
    found = [*re.finditer(r"[\w.]+", text)]
    if len(found) < 2:
        return text
    one, other = sorted((draw(st.sampled_from(found)) for _ in range(2)), key=lambda word: word.start())
    between = text[one.end() : other.start()]
    return text if one is other else text[: one.start()] + other[0] + between + one[0] + text[other.end() :]


def repeated(draw, text):
    """Repeat a line once, or some lines many times."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at, count = draw(st.integers(0, len(lines) - 1)), draw(st.sampled_from((1, 1, 3, 50)))
    return "".join([*lines[:at], *lines[at : at + 2] * count, *lines[at:]])


def larger(draw, text):
    """Make a number far larger."""
    found = [*re.finditer(r"\d+", text)]
    if not found:
        return text
    number = draw(st.sampled_from(found))
    return (
        text[: number.start()]
        + draw(st.sampled_from(("0", "99999", "1000003", "9" * 12, "9" * 40)))
        + text[number.end() :]
    )


ACCIDENTS = (cut, inserted, replaced, swapped, repeated, larger)
_PARTS = (*"0123456789.,()+-*/%<>=! abinx_", "alpha", "res", " if ", " else ", " and ", " not ", "max(", "//")
EXPRESSIONS = st.lists(st.sampled_from(_PARTS), max_size=40).map("".join) | st.sampled_from(TRICKS)
