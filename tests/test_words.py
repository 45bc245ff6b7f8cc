"""Plain English: no text of the project contains phrases that are hard to understand."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATTERNS = {  # directory -> the texts in it and below
    "costcalc": ["*.py", "*.yaml"],
    "docs": ["*.md", "*.py"],
    "configs": ["*.yaml"],
    "tests": ["*.md", "*.py", "equivalent.yaml"],
}
INSTALLED = {"build", "node_modules"}  # directories of files written elsewhere
TEXTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "action.yml")),
    *(
        path
        for folder, patterns in PATTERNS.items()
        for pattern in patterns
        for path in (ROOT / folder).rglob(pattern)
        if path != Path(__file__) and not INSTALLED & {*path.relative_to(ROOT).parts}
    ),
]
PHRASES = {  # phrase -> what to write
    r"(is|are) due\b": "expected",
    r"hangs? on\b": "depends on",
    r"what is not known of\b": "unknown",
    r"as far as could be tried": "say what was tried",
    r"there is no power in\b": "`**` is not supported",
    r"a person\b": "say who, or leave it out",
    r"(nobody|somebody)\b": "say who, or leave it out",
    r"one started from\b": "say what",
    r"so rewritten\b": "say how",
    r"whose convention is the one\b": "one idea a sentence",
    r"by itself\b": "alone, or separately",
    r"one of none\b": "say what it is",
    r"turned round\b": "transposed, or reversed",
    r"wants\b": "requires",
    r"what [\w ]{1,30} says? of\b": "name it: a declaration, a signature, a value",
    r"which (is|are) no\b": "which is not a",
    r"that (is|are) no (?!longer|more)": "that is not a",
    r"no multiple of\b": "not a multiple of",
    r"in silence\b": "silently",
    r"there already\b": "given, or cached",
    r"once more\b": "again",
    r"at the most\b": "at most",
    r"looked at\b": "read, examined, or checked",
    r"one behind the other\b": "concatenated, or in sequence",
    r"comes? with costcalc\b": "built-in, or shipped",
    r"what (stands|lies|comes|came)\b": "name it: the text, the output",
    r"\d an? (channel|head|input|layer|output|row|sample|step|token|value)\b": "per",
    r"(is|are) not known\b": "unknown",
    r"what (flows|comes|goes) (in|out)\b": "input, or output",
    r"what leaves\b": "output",
    r"(a bug of ours|of our own)\b": "a bug, or of costcalc",
    r"(taken|takes?) apart\b": "split, or decomposed",
    r"(goes|go) on with\b": "continues",
    r"left alone\b": "unchanged",
    r"(none|nothing) where\b": "none if, or empty if",
    r"with settings of their own\b": "with separate settings",
    r"a (row|line|value|sample|mark|column) a (network|layer|line|row|sample|value|setting|file|point)\b": "per",
    r"from the (oldest|outermost|first|last) on\b": "starting with",
}


@cache
def suspects():
    """(place, line) of each line with any of the phrases: the texts are searched once, not once per phrase."""
    phrases = re.compile("|".join(rf"\b{phrase}" for phrase in PHRASES), re.I)
    return [
        (f"{path.relative_to(ROOT)}:{number}", line.strip())
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if phrases.search(line)
    ]


@pytest.mark.parametrize("phrase", PHRASES)
def test_phrase_does_not_occur(phrase):
    found = [f"{place}: {line}" for place, line in suspects() if re.search(rf"\b{phrase}", line, re.I)]
    assert found == [], f"write: {PHRASES[phrase]}"


def test_the_texts_are_found():
    assert len(TEXTS) > 600
