"""Error messages: the exact text, one row per mistake.

In a row, « » mark the text that the caret must point at, in the order of the errors. They are removed before
the text is read, and the expected message is built from their positions.
"""

import json
import re
from unicodedata import east_asian_width

import pytest

from costcalc import analyze, errors
from costcalc.cli import main
from costcalc.syntax.problems import ENOUGH, MOST

ANY = "numbers and names, joined by `+ - * / // % **`, or `max(..)`, `floor(..)`, `a if c else b`"
MORE_LAYERS = "COSTCALC_LIMITS=layers=N in the environment raises this limit"
WHOLE = "write floor(..) or divisible(..)"
INPUT = "note: the input here is [56, 56, 3]"
CUT = "a comma inside { } or [ ] ends the value, so this expression is cut in two"
CONDITION = "it is a condition, such as `true`, `i > 0` or `stride == 1`"
COUNT = "it is a whole number, 0 or more"
SIZE = "it is a whole number, 1 or more"
JOIN = "bring the branch of 3 channels to 8 with {conv: 1x1, out: 8}"
COLON = "a space is missing after the `:`"
CONV = (
    "known: `as`, `bias`, `bits`, `dilation`, `from`, `groups`, `only`, `out`, `padding`, `params`, `prob`, `repeat`,"
    " `residual`, `reuse`, `stride`, `then`, `times`, `trained`, `when`"
)
DEPTHWISE_OUT = (
    "it keeps the channels, times `multiplier`; `{separable: 64}` adds the 1x1 convolution that changes them"
)
ONE_EACH = "give one value for each axis of the grid; shapes are per sample, without a batch"
STAYS = "state when the shape is unchanged, as in `residual: s == 1 and channels == c`, or write `add:"
DIVISOR = "use a number that divides them evenly"
REUSABLE = "name a value under `vars:`, or layers under `blocks:`"
FIRST = "write the operation first, as in {conv: 3x3, out: 32}; `costcalc ops` lists them"
LISTED = "`costcalc ops` lists them"
KERNEL = "expected a number or a condition, found a kernel"
ONE = "write one value, such as 32 or floor(alpha * 32)"
NAME = "a name is made of letters (a to z), digits and `_`, and starts with a letter"
ASCII = "use ASCII letters, digits and signs; this character only looks like one"
NO_TEXT = "only numbers and names are allowed here, not text"
NO_LIST = "only numbers and names are allowed here, not lists or maps"
NUMBER = "write a number after the colon, or leave the option out"
FIGURE = "write it as it is printed: 325M, 2.6M or 1.91%"
NOT_HERE = "this is not part of the expression language"
VARIABLES = (
    "known here: `act`, `alpha`, `channels`, `depth`, `features`, `flag`, `height`, `length`, `tokens`, "
    "`width`; a variable is declared under `vars:`"
)
KEYS = (
    "known: `blocks`, `budget`, `defaults`, `define`, `description`, `input`, `inputs`, `layers`, `name`,"
    " `published`, `vars`"
)
AXES = (
    "one of: channels; features; length, channels; tokens, features; height, width, channels; depth, "
    "height, width, channels"
)
PADDING = "`padding` is `same`, `valid`, a number, one per axis (`0x1`), or [before, after] per axis"
DEPTHWISE = "line 6 of costcalc/blocks.yaml: - {dwconv: kernel, stride: stride, bias: false, then: [norm, act]}"
POINTWISE = "line 7 of costcalc/blocks.yaml: - {conv: 1x1, out: out, bias: false, then: [norm, act]}"

HEAD = "vars: {alpha: 0.35, act: relu, flag: true}\ninput: [56, 56, 3]\nlayers:\n"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function that runs a command line in its own directory; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gc.freeze", lambda: None)
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            main(list(args))
        return ended.value.code, *capsys.readouterr()

    return call


def expected(marked, said):
    """The complete stderr; `said` holds the message, the help and the notes of each marked place."""
    parts = []
    for place, (message, *more) in zip(places(marked), said, strict=True):
        line, column, width, text = place
        gutter = " " * len(str(line))
        more = [text if text.startswith("note: ") else f"help: {text}" for text in more]
        parts += [
            f"error: {message}\n",
            f"{gutter}--> net.yaml:{line}:{column}\n",
            f"{gutter} |\n{f'{line} | {text}'.rstrip()}\n{gutter} | {' ' * (column - 1)}{'^' * max(width, 1)}\n",
            *(f"{gutter} = {text}\n" for text in more),
            "\n",
        ]
    return "".join(parts) + (f"{len(said)} errors\n" if len(said) > 1 else "")


def places(marked):
    """(line, column, width, the line) of each « »."""
    for number, line in enumerate(marked.split("\n"), start=1):
        text = plain(line).replace("\t", " ")
        for at, mark in enumerate(re.finditer("«([^»]*)»", line)):
            wide = sum(east_asian_width(char) in "WF" for char in mark[1])
            yield number, mark.start() + 1 - 2 * at, len(mark[1]) + wide, text


def plain(marked):
    """A text without its marks."""
    return re.sub("[«»]", "", marked)


LAYERS = [  # an invalid layer; message, help and notes
    ("{«covn»: 3x3, out: 8}", ("unknown operation or block `covn`", "a similar name exists: `conv`")),
    ("«seperable»: 8", ("unknown operation or block `seperable`", "a similar name exists: `separable`")),
    ("{conv: 3x3, out: 8, «strid»: 2}", ("unknown option `strid`", "a similar name exists: `stride`")),
    ("{conv: 3x3, out: 8, «filters»: 8}", ("unknown option `filters`", "it is called `out` here")),
    (
        "{conv: 3x3, out: 8, «activation»: relu}",
        ("unknown option `activation`", "what follows a layer is written `then: [batchnorm, relu]`"),
    ),
    ("{conv: 3x3, out: 8, «name»: stem}", ("unknown option `name`", "it is called `as` here")),
    (
        "{conv: 3x3, out: 8, «kernel»: 3}",
        ("unknown option `kernel`", "the kernel is the value of the operation itself, as in {conv: 3x3, out: 32}"),
    ),
    ("{«fc»: 10}", ("unknown operation or block `fc`", "write `linear: 10`")),
    ("{«fc»: 3x3}", ("unknown operation or block `fc`", "write `linear: 1000`")),
    ("«fc»", ("unknown operation or block `fc`", "write `linear: 1000`")),
    ("{«depthwise»: 5x5}", ("unknown operation or block `depthwise`", "write `{dwconv: 5x5}`")),
    ("{«pointwise»: channels}", ("unknown operation or block `pointwise`", "write `{conv: 1x1, out: channels}`")),
    ("{«gap»: 7}", ("unknown operation or block `gap`", "write `avgpool: global`")),
    ("{«conv:3x3», out:64}", ("unknown operation or block `conv:3x3`", COLON)),
    ("«maxpool:2x2»", ("unknown operation or block `maxpool:2x2`", COLON)),
    ("{conv: 3x3, out: 8, «stride:2»}", ("unknown option `stride:2`", COLON)),
    ("{separable: 8, «stride:2»}", ("unknown option `stride:2`", COLON)),
    ("{conv: 3x3, out: 8, «s»: 2}", ("unknown option `s`", CONV)),
    ("{dwconv: 3x3, «out»: 8}", ("unknown option `out`", DEPTHWISE_OUT)),
    ("{dwconv: 3x3, «filters»: 8}", ("unknown option `filters`", DEPTHWISE_OUT)),
    ("{«Conv2D»: 3x3, out: 8}", ("unknown operation or block `Conv2D`", "a similar name exists: `conv`")),
    ("{«bn»: }", ("unknown operation or block `bn`", "write `batchnorm`")),
    (
        "{«сonv»: 3x3, out: 8}",
        ("unknown operation or block `сonv`", "write it with plain (ASCII) letters; a similar name exists: `conv`"),
    ),
    (
        "«conv(3x3, 8)»",
        (
            "unknown operation or block `conv(3x3, 8)`",
            "write the value after a colon: `conv: ..`, and options in { }",
        ),
    ),
    ("«conv 3x3»", ("unknown operation or block `conv 3x3`", "write `{conv: 3x3}`")),
    (
        "{conv: 3x3, «relu»: , out: 8}",
        (
            "a layer has one operation, found `conv`, `relu`",
            "write the next layer on its own line, or in `then: [..]`",
        ),
    ),
    ("«{out: 8, stride: 2}»", ("this layer has no operation", FIRST)),
    ("«{repeat: 3}»", ("this layer has no operation", FIRST)),
    ("«as»", ("this layer has no operation", FIRST)),
    (
        "«[relu]»",
        (
            "a layer is an operation with its options, not a list",
            "write `- conv: 3x3`, or `- {conv: 3x3, out: 32}`; a list of layers is `- layers: [..]`",
        ),
    ),
    ("relu: «3»", ("`relu` takes no value", "write `- relu`")),
    ("«conv»: 3x3", ("`conv` needs `out`: a whole number, 1 or more", "add `out: ..`; see `costcalc ops conv`")),
    (
        "{«conv»: , out: 8}",
        (
            "`conv` needs `kernel`: `3x3`, `1x7`, a number (square), or a list",
            "write {conv: ..}; see `costcalc ops conv`",
        ),
    ),
    ("{conv: 3x3, out: 8 * «alpa»}", ("unknown variable `alpa`", "a similar name exists: `alpha`")),
    ("{conv: 3x3, out: «eight»}", ("unknown variable `eight`", "a similar name exists: `height`")),
    ("{conv: 3x3, out: «flor»(8)}", ("unknown function `flor`", "a similar name exists: `floor`")),
    (
        "{conv: 3x3, out: «alpha»(8)}",
        ("unknown function `alpha`", "known: `ceil`, `divisible`, `floor`, `max`, `min`, `round`"),
    ),
    ("{conv: 3x3, out: «max»}", ("`max` is a function", "call it: `max(..)`")),
    ('{conv: 3x3, out: "«max(8)»"}', ("`max` takes 2 to 16 values, got 1", "write `max(a, b)`")),
    ("{conv: 3x3, out: «floor(8 * alpha», 2)}", (CUT, 'quote the expression: "floor(8 * alpha, 2)"')),
    ("{conv: 3x3, out: «max(8», 3)}", (CUT, 'quote the expression: "max(8, 3)"')),
    ("{conv: 3x3, out: «8.5»}", ("`out`: 8.5 is not a whole number", WHOLE)),
    ("{conv: 3x3, out: «8 * alpha»}", ("`out`: 2.8 is not a whole number", WHOLE, "note: here alpha = 0.35")),
    ("{conv: 3x3, out: «floor(alpha)»}", ("`out`: must be at least 1, got 0", "note: here alpha = 0.35")),
    ("{conv: 3x3, out: «0»}", ("`out`: must be at least 1, got 0", "`out` is a whole number, 1 or more")),
    ("{conv: 3x3, out: «-1»}", ("`out`: must be at least 1, got -1", "`out` is a whole number, 1 or more")),
    ("{conv: 3x3, out: «}»", ("a number or an expression is missing", NUMBER)),
    ("{conv: 3x3, out: «[8]»}", ("expected a number or an expression, found a list", ONE)),
    ("{conv: 3x3, out: «{a: 8}»}", ("expected a number or an expression, found a map", ONE)),
    ("{conv: 3x3, out: «true»}", ("`out` cannot be `true`", SIZE)),
    ("{conv: 3x3, out: «flag»}", ("`out` cannot be `true`", SIZE, "note: here flag = true")),
    ("{conv: 3x3, out: «act»}", ("`out` cannot be `relu`", SIZE, "note: here act = relu")),
    (
        "{conv: 3x3, out: «act * 9»}",
        ("`act * 9` has no value: a word or a kernel is not a number", "note: here act = relu"),
    ),
    ('{conv: 3x3, out: "«eight»"}', ("unknown variable `eight`", "a similar name exists: `height`")),
    ("{conv: 3x3, out: «3x3»}", ("`3x3` is not an expression", KERNEL)),
    ("{conv: 3x3, out: 8, bias: «yes»}", ("unknown variable `yes`", "write `true`")),
    ("{conv: 3x3, out: 8, bias: «3»}", ("`bias` cannot be `3`", "it is true or false")),
    (
        "{conv: 3x3, out: 8, bias: «channels»}",
        ("`bias` cannot be `3`", "it is true or false", "note: here channels = 3"),
    ),
    ("{conv: 3x3, out: 8, padding: «smae»}", ("unknown word `smae`", "a similar name exists: `same`")),
    ("{conv: 3x3, out: 8, padding: «-1»}", ("`padding`: must be at least 0, got -1", PADDING)),
    (
        "{conv: 3x3, out: 8, padding: «[[[1]]]»}",
        (
            "`padding` cannot be this list",
            "it is `same`, `valid`, a number, one per axis (`0x1`), or [before, after] per axis",
        ),
    ),
    (
        "{conv: 3x3, out: 8, padding: «[[1, 2, 3], [1]]»}",
        ("`conv`: padding per side is [before, after] for each axis", INPUT),
    ),
    ("{conv: «(3», 3), out: 8}", (CUT, "write 3x3, or [3, 3]")),
    ('{conv: "«3, 1»", out: 8}', (NOT_HERE, "write 3x1, or [3, 1]")),
    ('{conv: "«(3,3,)»", out: 8}', (NOT_HERE, "write 3x3, or [3, 3]")),
    ('{conv: "«[3,3]»", out: 8}', ("this is not part of the expression language", "write 3x3, or [3, 3]")),
    ("{conv: 3 «x» 3, out: 8}", ("`3 x 3` is not an expression", "a kernel is written 3x3")),
    ("{conv: «3X3», out: 8}", ("`3X3` is not an expression", "a kernel is written 3x3")),
    ("{conv: 3«×»3, out: 8}", ("`×` (U+00D7) is not allowed in an expression", "a kernel is written 3x3")),
    (
        "{conv: «0x3», out: 8}",
        ("`kernel`: must be at least 1, got 0", "`kernel` is `3x3`, `1x7`, a number (square), or a list"),
    ),
    ("{«conv»: 3x3x3, out: 8}", ("`conv`: the kernel has 3 values for 2 spatial axes", ONE_EACH, INPUT)),
    (
        "{conv: «[[3, 3], 3]», out: 8}",
        ("`kernel` cannot be this list", "it is `3x3`, `1x7`, a number (square), or a list"),
    ),
    ("{conv: «3x3x3x3x3x3x3x3x3», out: 8}", ("at most 8 values are allowed here, one per axis of a tensor",)),
    ("{conv: 3x3, out: 8, groups: «2»}", ("`conv`: 3 channels do not split into 2 groups", DIVISOR, INPUT)),
    ("{conv: 3x3, out: 8, groups: «3»}", ("`conv`: 8 outputs do not split into 3 groups", DIVISOR, INPUT)),
    (
        "{«conv»: 99x99, out: 8, padding: valid}",
        (
            "`conv`: a window of 99 is larger than its input of 56",
            "write `padding: same`, or a smaller kernel",
            INPUT,
        ),
    ),
    (
        "{«conv»: 99x99, out: 8, padding: [[0, 2], 40]}",
        (
            "`conv`: a window of 99 is larger than its input of 58 with padding",
            "write `padding: same`, or a smaller kernel",
            INPUT,
        ),
    ),
    (
        "{conv: 1x1, out: «9999999999999»}",
        ("`out`: 1e+13 is too large: the limit is 1,099,511,627,776", "`out` is a whole number, 1 or more"),
    ),
    (
        "{conv: 1x1, out: «99999999999999999999»}",
        ("a number has at most 18 digits", "sizes are at most 1,099,511,627,776"),
    ),
    ("{conv: 1x1, out: «10 / 0»}", ("`10 / 0` has no value: division by zero",)),
    (
        "{conv: 1x1, out: «10 // (channels - 3)»}",
        ("`10 // (channels - 3)` has no value: integer division or modulo by zero", "note: here channels = 3"),
    ),
    (
        "{conv: 1x1, out: 8 + «depth»}",
        ("`depth` has no value here", "it names an axis that the input here does not have"),
    ),
    ("{conv: 1x1, out: 8, when: «3x3»}", ("`3x3` is not an expression", KERNEL)),
    ("{conv: 1x1, out: 8, when: «8»}", ("`when` cannot be `8`", CONDITION)),
    ("{conv: 1x1, out: 8, when: «channels»}", ("`when` cannot be `3`", CONDITION)),
    ("{conv: 1x1, out: 8, when: «act»}", ("`when` cannot be `relu`", CONDITION)),
    ("{conv: 1x1, out: 8, repeat: «-1»}", ("`repeat` cannot be `-1`", COUNT)),
    ("{conv: 1x1, out: 8, repeat: «2.5»}", ("`repeat` cannot be `2.5`", COUNT)),
    ("{conv: 1x1, out: 8, repeat: «channels / 2»}", ("`repeat`: 1.5 is not a whole number", WHOLE)),
    ("{conv: 1x1, out: 8, repeat: «flag»}", ("`repeat` cannot be `true`", COUNT)),
    ("{conv: 1x1, out: 8, repeat: «act»}", ("`repeat` cannot be `relu`", COUNT)),
    ("{conv: 1x1, out: 8, times: «relu»}", ("unknown variable `relu`", VARIABLES)),
    (
        "{conv: 1x1, out: 8, repeat: «1000000000»}",
        (
            "`repeat` cannot be `1000000000`",
            "a network has at most 100,000 layers, blocks expanded; " + MORE_LAYERS,
        ),
    ),
    (
        "{conv: 1x1, out: 8, as: «[a]»}",
        ("expected a name, found a list", "write one value, in quotes if it has special characters"),
    ),
    ('{conv: 1x1, out: 8, as: «""»}', ("a name is missing here", "a name is a word, as in `as: p4` and `from: p4`")),
    ("{conv: 1x1, out: 8, as: «input»}", ("two layers are called `input`", "an input has this name")),
    ("{conv: 1x1, out: 8, from: «p4»}", ("no layer before this one is called `p4`", "named so far: `input`")),
    ("{conv: 1x1, out: 8, then: «relu»}", ("expected a list of layers, found `relu`", "write [relu]")),
    ("{conv: 1x1, out: 8, then: [«rellu»]}", ("unknown operation or block `rellu`", "a similar name exists: `relu`")),
    (
        "{conv: 1x1, out: 8, «residual»: true}",
        (
            "`residual`: shapes do not match: 56x56x3 and 56x56x8",
            STAYS + " [[{conv: 1x1, out: 8}], [..]]`, which projects the input",
        ),
    ),
    (
        "{layers: [{conv: 3x3, out: 8, stride: [2, 1]}], «residual»: channels == 3}",
        (
            "`residual`: shapes do not match: 56x56x3 and 28x56x8",
            STAYS + " [[{conv: 1x1, out: 8, stride: 2x1}], [..]]`, which projects the input",
        ),
    ),
    (
        "{layers: [{upsample: 2}], «residual»: true}",
        ("`residual`: shapes do not match: 56x56x3 and 112x112x3", STAYS + "` with branches of one shape"),
    ),
    ("{reuse: «stem»}", ("no layer before this one is called `stem`", "named so far: `input`")),
    ("«reuse»", ("a name is missing here", "a name is a word, as in `as: p4` and `from: p4`")),
    ("«layers»", ("a list of layers is missing here", "start each layer with `- `")),
    ("{layers: «relu»}", ("expected a list of layers, found `relu`", "write [relu]")),
    ("{«reuse»: input}", ("`input` is an input and has no weights to use again",)),
    ("«add»: [[], [{conv: 3x3, out: 8}]]", ("`add`: shapes do not match: 56x56x3 and 56x56x8", JOIN)),
    (
        "«concat»: [[], [{conv: 3x3, out: 8, stride: 2}]]",
        (
            "`concat`: shapes do not match: 56x56x3 and 28x28x8",
            "bring the branch of 56x56x3 to 28x28 with {maxpool: 2}, or the other one with {upsample: 2}",
        ),
    ),
    (
        "«add»: [[{conv: 3x3, out: 8, stride: 5}], [], [{dwconv: 3x3}]]",
        (
            "`add`: shapes do not match: 12x12x8 and 56x56x3 and 56x56x3",
            "bring the branch of 56x56x3 to 12x12x8 with {conv: 1x1, out: 8, stride: 5}",
        ),
    ),
    (
        "«concat»: [[{pad: [[0, 1], [1, 0]]}], []]",
        (
            "`concat`: shapes do not match: 57x57x3 and 56x56x3",
            "pad the smaller one with {pad: [[0, 1], [0, 1]]}, or crop the larger one with `slice`,"
            " or take an input size that the strides divide",
        ),
    ),
    (
        "«add»: [[], [{dwconv: 5x1, padding: valid}]]",
        (
            "`add`: shapes do not match: 56x56x3 and 52x56x3",
            "pad the smaller one with {pad: [[0, 4], [0, 0]]}, or crop the larger one with `slice`",
        ),
    ),
    (
        "«mul»: [[], [{maxpool: 2x1}, {upsample: [1, 2]}]]",
        ("`mul`: shapes do not match: 56x56x3 and 28x112x3", "bring one branch to the other's shape"),
    ),
    (
        "«add»: [[flatten, {linear: 9}], [flatten, {linear: 10}]]",
        ("`add`: shapes do not match: 9 and 10", "bring the branch of 9 channels to 10 with {linear: 10}"),
    ),
    (
        "«concat»: [[], [flatten]]",
        (
            "`concat`: shapes do not match: 56x56x3 and 9408",
            "give all branches the same number of axes with `flatten`, `tokens`, `grid` or `reshape`",
        ),
    ),
    ("«mul»: [[]]", ("`mul` joins two branches or more, got 1",)),
    (
        "add: «input»",
        (
            "expected a list of branches, found `input`",
            "write [[], [..]]: each branch is a list of layers, or the name of one; `[]` is the input itself",
        ),
    ),
    (
        "add: [[], «relu»]",
        ("no layer before this one is called `relu`", "write the layers of a branch as a list: [relu]"),
    ),
    ("add: [[], «inptu»]", ("no layer before this one is called `inptu`", "a similar name exists: `input`")),
    ("{concat: [[]], axis: «heigth»}", ("unknown word `heigth`", "a similar name exists: `height`")),
    ("{concat: [[]], axis: «7»}", ("`concat`: axis 7 is past the last of 3 axes (the first is 0)",)),
    ("{«upsample»: 1e-9}", ("`upsample`: the output would be 0 wide", INPUT)),
    ("{«permute»: [0, 0, 0]}", ("`permute`: the order must name each of the 3 axes once, from 0", INPUT)),
    ("{«attention»: 5}", ("`attention`: 3 channels do not split into 5 heads", DIVISOR)),
    ("{reshape: «[1, 1, 1, 1, 1, 1, 1, 1, 9408]»}", ("at most 8 values are allowed here, one per axis of a tensor",)),
    ("{«windows»: 5x5}", ("`windows`: a grid side of 56 does not split into windows of 5", INPUT)),
    ("{opaque: «[a]»}", ("expected a text, found a list", "write one value, in quotes if it has special characters")),
    ("{conv: 1x1, out: «!!int» 8}", ("YAML's tag `!!int` is not part of the spec language", "write the value alone")),
    ("{conv: 1x1, out: «&eight» 8}", ("YAML's anchor `&eight` is not part of the spec language", REUSABLE)),
    ("{conv: 1x1, out: «*eight»}", ("YAML's alias `*eight` is not part of the spec language", REUSABLE)),
    ("{conv: 1x1, «conv»: 3x3, out: 8}", ("the key `conv` appears twice", "keep one; the first is on line 4")),
    (
        "{conv: 1x1, out: $«{»alpha}}",
        ("`${ }` is not part of the spec language", "write the name alone, as in `out: alpha * 32`"),
    ),
    ("{conv: 1x1, stride: alpha > 1 ? 1 «:» 2}", ("a `,` or `}` is missing", "write `a if condition else b`")),
    ("{conv: «@»alpha, out: 8}", ("this character cannot start a value", "put the value in quotes")),
    ("conv: 1x1, out«:» 8", ("a second `:` in one line", "put { } around options, or each on its own line")),
    (
        "{«separable»: 8.5}",
        (
            "`out`: 8.5 is not a whole number",
            WHOLE,
            "note: here out = 8.5",
            "note: in `separable(out=8.5, stride=1, kernel=3, norm=batchnorm, act=relu)`, " + POINTWISE,
        ),
    ),
    (
        "{separable: «[8, 1, 3, batchnorm, relu, 6]»}",
        (
            "`separable` takes 1 to 5 values (out, stride, kernel, norm, act), got 6",
            "write {separable: [out, stride, kernel, norm, act]}",
        ),
    ),
    ("{separable: 8, «strid»: 2}", ("unknown option `strid`", "a similar name exists: `stride`")),
    (
        "{inverted_residual: [6, 64], «s»: 2}",
        (
            "unknown option `s`",
            "`inverted_residual` has `t`, `out`, `stride`, `kernel`, `norm`, `act`; every layer `repeat`, `when`,"
            " `residual`, `times`, `prob`, `trained`, `bits`, `only`, `as`, `from`, `then`",
        ),
    ),
    ("{separable: 8, act: «reluu»}", ("unknown variable `reluu`", "a similar name exists: `relu`")),
    (
        "{«separable»: 8, act: conv}",
        (
            "`conv` needs `kernel` and cannot stand alone",
            "note: in `separable(out=8, stride=1, kernel=3, norm=batchnorm, act=conv)`, " + DEPTHWISE,
        ),
    ),
    (
        "inverted_residual: «6»",
        (
            "`inverted_residual` takes 2 to 6 values (t, out, stride, kernel, norm, act), got 1",
            "write {inverted_residual: [t, out, stride, kernel, norm, act]}",
        ),
    ),
    (
        "{layers: [{«separable»: [8, 0]}]}",
        (
            "`stride`: must be at least 1, got 0",
            "note: here stride = 0",
            "note: in `separable(out=8, stride=0, kernel=3, norm=batchnorm, act=relu)`, " + DEPTHWISE,
        ),
    ),
]
EXPRESSIONS = [  # an invalid expression after `out:`; message and help
    ("«9**9**9»", ("`9**9**9` has no value: an exponent is a whole number from 0 to 64, not 387420489",)),
    ("«2 ** -1»", ("`2 ** -1` has no value: an exponent is a whole number from 0 to 64, not -1",)),
    ("«10 ** 64»", ("`10 ** 64` has no value: this grows too large to be a size",)),
    ("9«^»2", ("`^` is not allowed in an expression", "a power is written a ** b")),
    ('__import__(«"»os")', ('`"` is not allowed in an expression', NO_TEXT)),
    ("\"__import__(«'»os')\"", ("`'` is not allowed in an expression", NO_TEXT)),
    ('"«().__class__»"', (NOT_HERE, ANY)),
    (
        "«channels.real»",
        (
            "`real` is not a size of a layer",
            "a layer has `channels`, `depth`, `features`, `height`, `length`, `shape`, `tokens`, `width`",
        ),
    ),
    ('«"channels[0]"»', ("`channels` is a single value, not a table", "note: here channels = 3")),
    ('"channels[0«:»1]"', ("`:` is not allowed in an expression", NO_LIST)),
    ('"channels[«0, 1»]"', ("only single values can be looked up", "write `depths[i]`")),
    ('"«(8 + 1)[0]»"', ("only tables of `vars:` can be indexed", NO_LIST)),
    ("«0x1»", ("only decimal numbers are allowed here", "write decimal digits")),
    ("«0x10»", ("only decimal numbers are allowed here", "write decimal digits")),
    ("«1j»", ("only decimal numbers are allowed here", "write decimal digits")),
    ("«1e400»", ("a number has at most 18 digits", "sizes are at most 1,099,511,627,776")),
    ("«1_000»", ("only decimal numbers are allowed here", "write the digits without `_`")),
    ('"«1,000»"', (NOT_HERE, "write the digits without commas")),
    ("«True»", ("`True` is not allowed in an expression", "write `true`")),
    ("«False»", ("`False` is not allowed in an expression", "write `false`")),
    ("«None»", ("`None` is not allowed in an expression", "leave the option out")),
    ('f«"»8"', ('`"` is not allowed in an expression', NO_TEXT)),
    ('"«[x for x in y]»"', (NOT_HERE, NO_LIST)),
    ('"lambda x«:» x"', ("`:` is not allowed in an expression", ANY)),
    ('"(x «:»= 8)"', ("`:` is not allowed in an expression", "write `==` to compare; a value needs no `=`")),
    ('"«max(*channels)»"', ("`max` takes 2 to 16 values, got 1", "write `max(a, b)`")),
    ('"«max(a=3, b=4)»"', ("only functions by name can be called", "write `==` to compare; a value needs no `=`")),
    ('"«{»8}"', ("`{` is not allowed in an expression", NO_LIST)),
    ('"«8, 9»"', (NOT_HERE, ANY)),
    ('"«()»"', (NOT_HERE, ANY)),
    ("1«:»30", ("`:` is not allowed in an expression", ANY)),
    ("«8 +»", ("`8 +` is not an expression", ANY)),
    ("«8 if flag»", ("`8 if flag` is not an expression", "write `a if condition else b`")),
    ("«8 is 8»", ("the comparisons are `< <= > >= == !=`", ANY)),
    ("«8 in 8»", ("the comparisons are `< <= > >= == !=`", ANY)),
    ("8 «&»& 8", ("`&` is not allowed in an expression", "write `and`, `or`, `not`")),
    ("8 «|» 8", ("`|` is not allowed in an expression", "write `and`, `or`, `not`")),
    ("«~»8", ("`~` is not allowed in an expression", "write `and`, `or`, `not`")),
    ("8«;» 8", ("`;` is not allowed in an expression", ANY)),
    ("«８»", ("`８` (U+FF18) is not allowed in an expression", ASCII)),
    ("«с»hannels", ("`с` (U+0441) is not allowed in an expression", ASCII)),
    ("8 «=» 8", ("`8 = 8` is not an expression", "write `==` to compare; a value needs no `=`")),
    ("\"«'»eight'\"", ("`'` is not allowed in an expression", NO_TEXT)),
    ("«...»", ("only decimal numbers are allowed here", ANY)),
    ("8 «p»x", ("`8 px` is not an expression", "a product is written with `*`")),
    ("«2M»", ("`2M` is not an expression", "write all digits: 2M is 2000000")),
    ("«50%»", ("`50%` is not an expression", "write a factor: 50% is 0.5")),
    ("«$»alpha", ("`$` is not allowed in an expression", "write the name alone, as in `alpha * 32`")),
    ('«"8\\n9"»', ("`\\n` is not allowed in an expression", "write it on one line")),
    ('«"\\x1b[31m"»', ("`\\x1b` is not allowed in an expression", NO_LIST)),
    ("«((8)»", ("`((8)` is not an expression", ANY)),
    ("8 «c»hannels", ("`8 channels` is not an expression", "a product is written with `*`")),
    ("«2(channels)»", ("only functions by name can be called", "a product is written with `*`")),
    ("«yield»", ("`yield` is not an expression", ANY)),
    ('"«await x»"', (NOT_HERE, ANY)),
    ('"8 «#» 9"', ("`#` is not allowed in an expression", ANY)),
    ('"  «8 +»"', ("`8 +` is not an expression", ANY)),
]
SPECS = [  # the mistake, a whole spec, and message, help and notes of each error, sorted by place
    (
        "unknown key, with the key it was meant to be",
        """
input: [56, 56, 3]
«layer»:
  - relu
""",
        ("unknown key `layer`", "a similar name exists: `layers`"),
    ),
    (
        "unknown key that is like no other",
        """
input: [56, 56, 3]
«optimizer»: adam
layers: [relu]
""",
        ("unknown key `optimizer`", KEYS),
    ),
    (
        "nothing but a comment",
        """
«#» a network
""",
        ("the file is empty", "start with `input: [224, 224, 3]` and `layers:`; `costcalc zoo` lists specs to copy"),
    ),
    (
        "a word",
        """
«mobilenet»
""",
        (
            "a spec is a map with `input:` and `layers:`, not `mobilenet`",
            "start with `input: [224, 224, 3]`, then `layers:`",
        ),
    ),
    (
        "a list",
        """
«-» relu
""",
        (
            "a spec is a map with `input:` and `layers:`, not a list",
            "start with `input: [224, 224, 3]`, then `layers:`",
        ),
    ),
    (
        "no input, no layers",
        """
«»«n»ame: small
""",
        ("a spec needs `input:`", "add `input: [224, 224, 3]`"),
        ("a spec needs `layers:`", "add `layers:` with a list of layers"),
    ),
    (
        "two documents",
        """
input: [56, 56, 3]
layers: [relu]
---
«i»nput: [56, 56, 3]
""",
        ("a spec is one document: nothing may follow `---`", "write one file per network"),
    ),
    (
        "no layers in the list",
        """
input: [56, 56, 3]
layers: «[]»
""",
        ("there are no layers", "a layer is `- {conv: 3x3, out: 32}`"),
    ),
    (
        "layers as a map",
        """
input: [56, 56, 3]
layers:
  «c»onv: 3x3
  out: 8
""",
        ("expected a list of layers, found a map", "start each layer with `- `"),
    ),
    (
        "nothing after the keys",
        """
input:«»
layers:«»
""",
        ("a shape is missing here", "write [height, width, channels], as in [224, 224, 3]"),
        ("a list of layers is missing here", "start each layer with `- `"),
    ),
    (
        "channels first",
        """
input: «[3, 224, 224]»
layers: [relu]
""",
        (
            "is 3x224x224 channels-first? Shapes are channels last",
            "write [224, 224, 3], or name the axes: {height: .., width: .., channels: ..}",
        ),
    ),
    (
        "channels first, in a batch",
        """
input: «[1, 3, 224, 224]»
layers: [{conv: 3x3, out: 8}]
""",
        (
            "is 1x3x224x224 channels-first and of a batch? Shapes are per sample, channels last",
            "write [224, 224, 3], or name the axes: {depth: .., height: .., width: .., channels: ..}",
        ),
    ),
    (
        "a batch of one",
        """
inputs: {image: «[1, 224, 200, 3]», volume: {depth: 1, height: 224, width: 224, channels: 3}}
layers: [{conv: 3, out: 8}]
""",
        (
            "is 1x224x200x3 of a batch? Shapes are per sample",
            "write [224, 200, 3], or name the axes: {depth: .., height: .., width: .., channels: ..}",
        ),
    ),
    (
        "a kernel of two axes on a batch or a volume",
        """
input: [8, 32, 32, 3]
layers: [{«conv»: 3x3, out: 8}]
""",
        (
            "`conv`: the kernel has 2 values for 3 spatial axes",
            ONE_EACH,
            "note: the input here is [8, 32, 32, 3]",
        ),
    ),
    (
        "an input that is a text",
        """
input: «224x224x3»
layers: [relu]
""",
        ("expected a shape, found `224x224x3`", "write [height, width, channels], as in [224, 224, 3]"),
    ),
    (
        "an input with a size of 0",
        """
input: «[56, 0, 3]»
layers: [relu]
""",
        ("`input`: a size must be at least 1, got 0",),
    ),
    (
        "an input with a part of a pixel",
        """
vars: {res: 56}
input: «[res * 0.9, 56, 3]»
layers: [relu]
""",
        ("`input`: 50.4 is not a whole number", WHOLE, "note: here res = 56"),
    ),
    (
        "an input whose default is no size",
        """
vars: {res: 56.5}
input: «[res, res, 3]»
layers: [relu]
""",
        ("`input`: 56.5 is not a whole number", WHOLE, "note: here res = 56.5"),
    ),
    (
        "an input of a word",
        """
vars: {act: relu}
input: «[act, 56, 3]»
layers: [relu]
""",
        ("`input`: a word is not a size",),
    ),
    (
        "axes that make no shape",
        """
input: «{height: 56, width: 56}»
layers: [relu]
""",
        ("these names do not form a shape", AXES),
    ),
    (
        "input and inputs",
        """
input: [56, 56, 3]
inputs: «{left: [56, 56, 3]}»
layers: [relu]
""",
        ("`input:` and `inputs:` are both given", "use `inputs:` for several named inputs"),
    ),
    (
        "inputs without names",
        """
inputs: «{}»
layers: [relu]
""",
        ("`inputs:` names no input", "write `name: [height, width, channels]` for each"),
    ),
    (
        "an input with a bad name",
        """
inputs: {«left eye»: [56, 56, 3]}
layers: [relu]
""",
        ("`left eye` cannot name an input", NAME),
    ),
    (
        "keys that stand twice",
        """
input: [56, 56, 3]
«input»: [28, 28, 3]
layers:
  - {conv: 1x1, out: 8, «out»: 16}
""",
        ("the key `input` appears twice", "keep one; the first is on line 1"),
        ("the key `out` appears twice", "keep one; the first is on line 4"),
    ),
    (
        "a default that needs a later variable",
        """
vars:
  width_2: «width_1» * 2
  width_1: 32
input: [56, 56, 3]
layers: [relu]
""",
        ("unknown variable `width_1`", "`width_1` is declared on line 3: a default uses only variables before it"),
    ),
    (
        "variables that cannot be",
        """
vars: {«i»: 3, «max»: 4, «true»: 1, «3d»: 3, «""»: 1, «größe»: 2, «a b»: 1}
input: [56, 56, 3]
layers: [relu]
""",
        ("`i` cannot name a variable", "`i` counts inside `repeat:`"),
        ("`max` cannot name a variable", "it is reserved"),
        ("`true` cannot name a variable", "it is reserved"),
        ("`3d` cannot name a variable", NAME),
        ("`` cannot name a variable", NAME),
        ("`größe` cannot name a variable", NAME),
        ("`a b` cannot name a variable", NAME),
    ),
    (
        "variables by words of expressions",
        """
vars: {«class»: 2, «lambda»: 1, «None»: 3, «i»: 4}
input: [56, 56, 3]
layers: [relu]
""",
        ("`class` cannot name a variable", "it is reserved"),
        ("`lambda` cannot name a variable", "it is reserved"),
        ("`None` cannot name a variable", "it is reserved"),
        ("`i` cannot name a variable", "`i` counts inside `repeat:`"),
    ),
    (
        "choices of another kind",
        """
vars:
  a: {default: 32, choices: [32, «[]», «3x3», «true»]}
  b: {default: relu, choices: [relu, «7»]}
  c: {default: 3x3, choices: [3x3, 5x5, «5»]}
  d: {default: a + 1, choices: [33, «a + 2»]}
input: [56, 56, 3]
layers: [relu]
""",
        ("a choice must be a number, like the default, not a kernel or a list",),
        ("a choice must be a number, like the default, not a kernel or a list",),
        ("a choice must be a number, like the default, not true or false",),
        ("a choice must be a word, like the default, not a number",),
        ("a choice must be a kernel or a list, like the default, not a number",),
        ("a choice must be a number, like the default, not an expression",),
    ),
    (
        "variables whose defaults cannot be",
        """
vars:
  a: {default: «3», choices: [1, 2]}
  b: {default: «3», max: 2}
  «c»: {help: a number}
  d: {default: 3, «maximum»: 4}
  e:«»
  f: «rellu»
input: [56, 56, 3]
layers: [relu]
""",
        ("the default: `a` cannot be 3", "it is one of `1`, `2`"),
        ("the default: `b` cannot be 3", "it is at most 2"),
        ("`c` needs a `default`", "write {default: 1.0}"),
        ("unknown key `maximum`", "a similar name exists: `max`"),
        ("a number or an expression is missing", NUMBER),
        ("unknown variable `rellu`", "a similar name exists: `relu`"),
    ),
    (
        "functions that cannot be",
        """
vars: {alpha: 1}
define:
  «max(a)»: a
  «alpha(c)»: c
  «f(c=1)»: c
  «g(c»: c
  «h(c, c)»: c
  k(c): «k»(c)
  l(c): «[c]»
input: [56, 56, 3]
layers: [relu]
""",
        ("`max` is already defined", "give the function another name"),
        ("`alpha` is already defined", "give the function another name"),
        ("a function's parameters have no defaults", "write a number in every call"),
        ("`g(c` is not a signature", "write a name and its parameters, as in `name(a, b=1)`"),
        ("`c` is given twice", "a parameter is a name, or `name=1`"),
        ("unknown function `k`", "known: `alpha`, `ceil`, `divisible`, `f`, `floor`, `max`, `min`, `round`"),
        ("expected a number or an expression, found a list", ONE),
    ),
    (
        "blocks that cannot be",
        """
vars: {alpha: 1}
define: {width(c): alpha * c}
input: [56, 56, 3]
blocks:
  «a(alpha)»: [relu]
  «conv(c)»: [relu]
  «repeat(c)»: [relu]
  «b(i)»: [relu]
  «b(max)»: [relu]
  «c(c, 3)»: [relu]
  «d(c=1, e)»: [relu]
  e: «relu»
layers: [relu]
""",
        ("`alpha` is a variable that `width` reads", "give the parameter another name"),
        ("`conv` is an operation already", "give the block another name"),
        ("`repeat` is an operation already", "give the block another name"),
        ("`i` is already defined", "give the parameter another name"),
        ("two blocks are called `b`", "the first is on line 8"),
        ("`3` is not a parameter", "a parameter is a name, or `name=1`"),
        ("`e` needs a default because the parameter before it has one", "write `e=1`"),
        ("expected a list of layers, found `relu`", "write [relu]"),
    ),
    (
        "a block that calls itself",
        """
input: [56, 56, 3]
blocks:
  a(c):
    - {conv: 1x1, out: c}
    - {«a»: c}
layers: [{a: 8}]
""",
        ("block `a` calls itself: a -> a", "a network is finite: `repeat: n` runs layers n times"),
    ),
    (
        "a block that calls itself through another",
        """
input: [56, 56, 3]
blocks:
  a(c): [{b: c}]
  b(c): [{«a»: c}]
layers: [{a: 8}]
""",
        ("block `a` calls itself: a -> b -> a", "a network is finite: `repeat: n` runs layers n times"),
    ),
    (
        "rows of the wrong length",
        """
input: [56, 56, 3]
blocks:
  sep(c, s):
    - {dwconv: 3x3, stride: s}
    - {conv: 1x1, out: c}
  none(): [relu]
layers:
  - sep: [[64, 1], «[64]», «[64, 1, 2]»]
  - {sep: «64»}
  - «sep»
  - {sep: [64, 1], «st»: 3}
  - sep: «{c: 64}»
  - sep: {c: 64, s: 1, «t»: 1}
  - {none: «3»}
""",
        ("`sep` takes 2 values (c, s), got 1", "write {sep: [c, s]}"),
        ("`sep` takes 2 values (c, s), got 3", "write {sep: [c, s]}"),
        ("`sep` takes 2 values (c, s), got 1", "write {sep: [c, s]}"),
        ("`sep` takes 2 values (c, s), got 0", "write {sep: [c, s]}"),
        ("unknown option `st`", "a similar name exists: `s`"),
        ("`sep` takes 2 values (c, s), got 1", "write {sep: [c, s]}"),
        ("unknown argument `t`", "known: `c`, `s`"),
        ("`none` takes no values, got 1", "write `- none`"),
    ),
    (
        "a row that is right, and a layer in the block that is not",
        """
vars: {alpha: 0.35}
input: [56, 56, 3]
blocks:
  outer(c): [{inner: [c, 2]}]
  inner(a, b): [{conv: 1x1, out: «a * alpha / b»}]
layers:
  - {conv: 1x1, out: «33 * alpha»}
  - {outer: 8}
""",
        (
            "`out`: 1.4 is not a whole number",
            WHOLE,
            "note: here a = 8, alpha = 0.35, b = 2",
            "note: in `inner(a=8, b=2)`, called on line 4",
            "note: in `outer(c=8)`, called on line 8",
        ),
        ("`out`: 11.549999999999999 is not a whole number", WHOLE, "note: here alpha = 0.35"),
    ),
    (
        "a name before it is given",
        """
input: [56, 56, 3]
layers:
  - {conv: 1x1, out: 8, from: «p4»}
  - {conv: 1x1, out: 8, as: p4}
""",
        ("no layer before this one is called `p4`", "it gets this name only on line 4"),
    ),
    (
        "two layers of one name",
        """
input: [56, 56, 3]
layers:
  - {conv: 1x1, out: 8, as: p4}
  - {conv: 1x1, out: 8, as: «p4»}
""",
        ("two layers are called `p4`", "the first is on line 3"),
    ),
    (
        "a name of another branch",
        """
input: [56, 56, 3]
layers:
  - add: [[{conv: 1x1, out: 8, as: p4}], [{conv: 1x1, out: 8}]]
  - {conv: 1x1, out: 8, from: «p4»}
""",
        ("no layer before this one is called `p4`", "named so far: `input`"),
    ),
    (
        "a name that no caller of the block has",
        """
input: [56, 56, 3]
blocks:
  head(): [{conv: 1x1, out: 8, from: «p4»}]
layers: [head]
""",
        ("no layer before this one is called `p4`", "named so far: `input`"),
    ),
    (
        "a name that the caller has only later",
        """
input: [56, 56, 3]
blocks:
  head(): [{«conv»: 1x1, out: 8, from: p4}]
layers:
  - head
  - {conv: 1x1, out: 8, as: p4}
""",
        ("no layer before this one is called `p4`", "named so far: `input`", "note: in `head()`, called on line 5"),
    ),
    (
        "weights that do not fit",
        """
input: [56, 56, 3]
layers:
  - {conv: 1x1, out: 8, as: first}
  - {«reuse»: first}
""",
        ("`first` has different weights on this input, so they cannot be reused",),
    ),
    (
        "tabs",
        """
input: [56, 56, 3]
layers:
«	»- relu
""",
        ("a tab cannot indent YAML", "indent with spaces"),
    ),
    (
        "tabs after spaces",
        """
input: [56, 56, 3]
layers:
  - relu
  «	»- relu
""",
        ("a tab cannot indent YAML", "indent with spaces"),
    ),
    (
        "a bracket that is not closed",
        """
input: [56, 56, 3]
layers:
  - «{»conv: 1x1, out: 8
  - relu
""",
        ("a `,` or `}` is missing", "write options as {conv: 3x3, out: 32}"),
    ),
    (
        "a bracket too much",
        """
input: [56, 56, 3]«]»
layers: [relu]
""",
        ("no open bracket matches this `]`", "delete it, or open one before it"),
    ),
    (
        "a quote that is not closed",
        """
input: [56, 56, 3]
layers:
  - «"»relu
""",
        ("a quote is not closed", "end it with the same quote"),
    ),
    (
        "options on a line of their own, too deep",
        """
input: [56, 56, 3]
layers:
  - conv: 1x1
      out«:» 8
""",
        (
            "this line continues the one before it, so it cannot have a `:`",
            "give the line before its `:`, or start this one in the same column",
        ),
    ),
    (
        "a list that goes back",
        """
input: [56, 56, 3]
layers:
  - relu
 «-» relu
""",
        ("this line is not aligned with those it belongs to", "use the same column"),
    ),
    (
        "a layer without its dash",
        """
input: [56, 56, 3]
layers:
  - relu
  «s»oftmax
""",
        ("this is not `key: value`", "a layer starts with `- `, an option with its name and `: `"),
    ),
    (
        "a key without its colon",
        """
input [56, 56, 3]
layers«:»
  - relu
""",
        (
            "this line continues the one before it, so it cannot have a `:`",
            "give the line before its `:`, or start this one in the same column",
        ),
    ),
    (
        "merge keys and aliases",
        """
input: [56, 56, 3]
layers:
  - «&first» {conv: 1x1, out: 8}
  - «*first»
  - {«<<»: «*first», out: 16}
""",
        ("YAML's anchor `&first` is not part of the spec language", REUSABLE),
        ("YAML's alias `*first` is not part of the spec language", REUSABLE),
        ("unknown operation or block `<<`", LISTED),
        ("YAML's alias `*first` is not part of the spec language", REUSABLE),
    ),
    (
        "defaults for what is not there",
        """
input: [56, 56, 3]
defaults:
  «conv, dwcon»: {bias: false, «strid»: 2}
  relu: «3»
layers: [relu]
""",
        ("unknown operation or block `dwcon`", "a similar name exists: `dwconv`"),
        ("unknown option `strid`", "a similar name exists: `stride`"),
        ("expected a map of options, found `3`", "write {bias: false}"),
    ),
    (
        "a claim that cannot be",
        """
vars: {alpha: 1.0}
input: [56, 56, 3]
layers: [relu]
published:
  - «{source: a paper}»
  - source: a paper
    rows:
      - {at: {«alpa»: 1}, mult_adds: 569 M, params: «many»}
      - {at: {alpha: «-1»}, mult_adds: «3%»}
      - {at: «3», params: «[3]», top1: «nan»}
      - «{}»
      - «3»
    «pages»: 3
""",
        (
            "a published entry needs `source:` and `rows:`",
            'write {source: "arXiv:1704.04861, Table 6", rows: [{mult_adds: 569M}]}',
        ),
        ("unknown variable `alpa`", "a similar name exists: `alpha`"),
        ("`many` is not a figure", FIGURE),
        ("`alpha` cannot be -1", "it must be more than 0, unless the spec gives it a `min`"),
        ("`mult_adds` is a number, not a share", "a share is `mult_adds_share`"),
        ("expected a map of variables, found `3`", "write {alpha: 0.75, res: 160}"),
        ("`params` is one value, not a list", "put a text in quotes"),
        ("`nan` is not a figure", FIGURE),
        (
            "this row states no figure",
            "it states `mult_adds`, `flops`, `params`, `params_active`, `activations`, `weights_bytes`, `peak_bytes`, "
            "`arena_bytes`, `floor_bytes`, `bytes_moved`, `resident_bytes`, `kv_bytes`, `bops`, `bops_full`, "
            "`ops_bnn`, `backward_mult_adds`, `training_mult_adds`, `saved_bytes`, `training_bytes`, "
            "`min_mult_adds`, `expected_mult_adds`, `max_mult_adds`, `min_flops`, `expected_flops`, `max_flops`, "
            "`mult_adds_share`, `params_share`, or an accuracy",
        ),
        ("expected a map, found `3`", "write {mult_adds: 569M, params: 4.2M}"),
        ("unknown key `pages`", "known: `convention`, `rows`, `source`, `url`"),
    ),
    (
        "reasons that cannot be",
        """
input: [56, 56, 3]
layers: [relu]
published:
  - source: a paper
    rows:
      - {flops: «5%», without: [conv, «[dwconv]»], layer: «[a]»}
      - {params: 3M, erratum: {«parms»: why}}
      - {params: 3M, erratum: why, corrected: {params: «many», «top1»: 3}}
      - {params: 3M, mult_adds: 3M, erratum: {params: why}, corrected: {mult_adds: «4M»}}
      - {params: 3M, erratum: why, not_reproducible: «because»}
      - {params: 3M, erratum: {params: why}, not_reproducible: «{params: because}»}
      - {params: 3M, erratum: «[why]», corrected: «4M»}
      - {params: 3M, not_reproducible: «null»}
      - {top1: 70.6, not_reproducible: {«top1»: why}}
      - {params: 3M, corrected: {params: «4M»}}
""",
        ("`flops` is a number, not a share", "write it without the `%`"),
        ("`without` is one value, not a list", "put a text in quotes"),
        ("`layer` is one value, not a list", "put a text in quotes"),
        ("unknown metric `parms`", "a similar name exists: `params`"),
        ("`many` is not a figure", FIGURE),
        ("unknown metric `top1`", "this row has `params`"),
        ("`corrected` gives the correct figure of an erratum", "add `erratum:` with the reason for `mult_adds`"),
        ("a figure is either an erratum or not reproducible", "name the figures of each: `erratum: {params: reason}`"),
        ("a figure is either an erratum or not reproducible", "name the figures of each: `erratum: {params: reason}`"),
        ("`erratum` is one value, not a list", "put a text in quotes"),
        ("expected a map, found `4M`", "write {mult_adds: 569M}, the correct figure"),
        ("expected a reason, found `null`", "write `not_reproducible: why`"),
        ("unknown metric `top1`", "this row states no computed metric"),
        ("`corrected` gives the correct figure of an erratum", "add `erratum:` with the reason for `params`"),
    ),
    (
        "a budget that cannot be",
        """
input: [56, 56, 3]
layers: [relu]
budget: {mult_adds: «nan», params: «3%», «flopz»: 3M}
""",
        ("a limit is a number, not `nan`", "write 170M, 2.6M or 4209088"),
        ("a limit is a number, not `3%`", "write 170M, 2.6M or 4209088"),
        ("unknown key `flopz`", "a similar name exists: `flops`"),
    ),
    (
        "everything at once, sorted",
        """
vars: {alpha: 1.0}
input: [56, 56, «chanels»]
blocks:
  sep(c): [{dwconv: 3x3}, {conv: 1x1, out: «width»(c)}]
layers:
  - {conv: 3x3, out: 32 * «alpa», «strid»: 2}
  - {sep: [«[64, 1]»]}
  - {«conv»: 3x3}
  - «dense»: 10
""",
        ("unknown variable `chanels`", "known here: `alpha`; a variable is declared under `vars:`"),
        ("unknown function `width`", "known: `ceil`, `divisible`, `floor`, `max`, `min`, `round`"),
        ("unknown variable `alpa`", "a similar name exists: `alpha`"),
        ("unknown option `strid`", "a similar name exists: `stride`"),
        ("`sep` takes 1 value (c), got 2", "write {sep: [c]}"),
        ("`conv` needs `out`: a whole number, 1 or more", "add `out: ..`; see `costcalc ops conv`"),
        ("unknown operation or block `dense`", "write `linear: 10`"),
    ),
]
COMMANDS = [  # a command line; message and help, or all of stderr
    ("analyze mobilenet --alpha nan", "`alpha` cannot be `nan`", "expected a finite number"),
    ("analyze mobilenet --alpha inf", "`alpha` cannot be `inf`", "expected a finite number"),
    ("analyze mobilenet --alpha 0", "`alpha` cannot be 0", "it must be more than 0, unless the spec gives it a `min`"),
    (
        "analyze mobilenet --alpha -1",
        "`alpha` cannot be -1",
        "it must be more than 0, unless the spec gives it a `min`",
    ),
    ("analyze mobilenet --alpha 1e308", "`alpha` cannot be `1e308`", "a number has at most 18 digits"),
    ("analyze mobilenet --alpha 1e400", "`alpha` cannot be `1e400`", "a number has at most 18 digits"),
    ("analyze mobilenet --alpha abc", "`alpha` cannot be `abc`", "it is a number"),
    ("analyze mobilenet --alpha 0,75", "`alpha` cannot be `0,75`", "a number has a decimal point"),
    ("analyze mobilenet --alpha 0x10", "`alpha` cannot be `0x10`", "expected a finite number"),
    ("analyze mobilenet --alpha ٣", "`alpha` cannot be `٣`", "expected a finite number"),
    ("analyze mobilenet --alpha true", "`alpha` cannot be true", "it is a number"),
    ("analyze mobilenet --alpha", "option '--alpha' requires an argument", "write `--alpha VALUE`"),
    ("analyze mobilenet --alpha=", "`alpha` cannot be ``", "expected a finite number"),
    ("analyze mobilenet --alpha 0.5 --set alpha=0.25", "`alpha` is set twice", "give either 0.5 or 0.25"),
    ("analyze mobilenet --set alhpa=0.5", "mobilenet has no variable `alhpa`", "a similar name exists: `alpha`"),
    (
        "analyze mobilenet --set stages=3",
        "mobilenet has no variable `stages`",
        "it declares `alpha`, `classes`, `middle`, `min_depth`, `res`",
    ),
    ("analyze mobilenet --set alpha", "`--set alpha` sets nothing", "write --set NAME=VALUE"),
    ("analyze mobilenet --set =3", "`--set =3` sets nothing", "write --set NAME=VALUE"),
    ("analyze mobilenet --alhpa 0.5", "there is no option or variable `--alhpa`", "a similar name exists: `--alpha`"),
    ("analyze mobilenet -alpha 0.5", "there is no option `-a`", "options start with two dashes: `--alpha`"),
    ("analyze mobilenet --classes", "`--classes` needs a value", "write `--classes VALUE`"),
    (
        "analyze my_net.yaml --classes 1.5",
        """
error: `out`: 1.5 is not a whole number
 --> my_net.yaml:3:28
  |
3 | layers: [flatten, {linear: classes}]
  |                            ^^^^^^^
  = help: write floor(..) or divisible(..)
  = note: here classes = 1.5
""",
    ),
    ("analyze my_net.yaml --res 0.5", "`res` cannot be 0.5", "it is a size of `input`: a whole number, 1 or more"),
    ("analyze mobilenet --res 224.5", "`res` cannot be 224.5", "it is a size of `input`: a whole number, 1 or more"),
    ("analyze mobilenet --rho nan", "`rho` cannot be `nan`", "expected a finite number"),
    ("analyze mobilenet --rho 0", "`rho` cannot be `0`", "expected a number above 0"),
    ("analyze fixed.yaml --rho 0.5", "rho scales `res`, and fixed has no variable `res`"),
    (
        "analyze mobilenet --format xml",
        "invalid value for '--format' / '-f': 'xml' is not one of 'table', 'csv', 'json', 'md', 'latex', 'html'",
        "see `costcalc analyze --help`",
    ),
    (
        "analyze mobilenet --by kind",
        "invalid value for '--by': 'kind' is not one of 'layer', 'type', 'block'",
        "see `costcalc analyze --help`",
    ),
    (
        "analyze mobilenet --top 0",
        "invalid value for '--top': 0 is not in the range x>=1",
        "expected a whole number, 1 or more",
    ),
    (
        "analyze mobilenet --top few",
        "invalid value for '--top': 'few' is not a valid integer range",
        "expected a whole number, 1 or more",
    ),
    ("analyze mobilenet --sort parms", "there is no column `parms`", "a similar name exists: `params`"),
    ("analyze mobilenet --columns name,parms", "there is no column `parms`", "a similar name exists: `params`"),
    ("analyze mobilenet --convention papr", "there is no convention `papr`", "a similar name exists: `paper`"),
    (
        "analyze mobilenet -o costs.pdf",
        "no format ends in `.pdf`",
        "known: .csv, .html, .json, .md, .tex, .txt; or --format",
    ),
    (
        "analyze mobilenet -o no/costs.csv",
        "cannot write 'no/costs.csv': No such file or directory",
        "there is no directory 'no'",
    ),
    ("analyze mobilenet -o . --format csv", "cannot write '.': Is a directory"),
    ("analyze mobilenet more", "got unexpected extra argument (more)", "see `costcalc analyze --help`"),
    (
        "analyze mobilenet my_net.yaml --alpha 0.5",
        "got unexpected extra argument (my_net.yaml)",
        "`costcalc compare mobilenet my_net.yaml` sets them side by side",
    ),
    (
        "analyze mobilenet --vary alpha=1",
        "there is no option or variable `--vary`",
        "it is an option of `costcalc page`, `costcalc sweep`, `costcalc fit`, `costcalc plot`",
    ),
    ("diff mobilenet --tighten", "there is no option `--tighten`", "it is an option of `costcalc check`"),
    ("analyze", "missing argument 'SPEC'", "see `costcalc analyze --help`"),
    ("analyse mobilenet", "there is no command `analyse`", "a similar name exists: `analyze`"),
    ("analyze mobilnet", "there is no file 'mobilnet'", "a similar name exists: `mobilenet`"),
    ("analyze my_nte.yaml", "there is no file 'my_nte.yaml'", "a similar name exists: `my_net.yaml`"),
    ("analyze no/mobilenet.yaml", "there is no file 'no/mobilenet.yaml'", "a similar name exists: `mobilenet`"),
    ("analyze .", "'.' is a directory", "name a file in it"),
    ("analyze binary.yaml", "'binary.yaml' is a binary file, not a spec", "a spec is a YAML text"),
    (
        "analyze latin.yaml",
        """
error: not UTF-8: here is byte 0xf6
 --> latin.yaml:1:5
  |
1 | # Gr��e
  |     ^
  = help: save the file as UTF-8
""",
    ),
    ("analyze utf16.yaml", "'utf16.yaml' is UTF-16", "save it as UTF-8"),
    (
        "analyze empty.yaml",
        """
error: the file is empty
 --> empty.yaml:1:1
  |
1 |
  | ^
  = help: start with `input: [224, 224, 3]` and `layers:`; `costcalc zoo` lists specs to copy
""",
    ),
    ("ops convv", "there is no operation or block `convv`", "a similar name exists: `conv`"),
    ("conventions papr", "there is no convention `papr`", "a similar name exists: `paper`"),
    (
        "validate my_net.yaml bad.yaml",
        """
error: unknown operation or block `rellu`
 --> bad.yaml:2:10
  |
2 | layers: [rellu]
  |          ^^^^^
  = help: a similar name exists: `relu`

1 of 2 specs cannot be used
""",
    ),
]


def check(run, marked, said):
    """Analyze a marked spec, which must fail with exactly the expected text."""
    with open("net.yaml", "w", encoding="utf-8") as file:
        file.write(plain(marked))
    assert run("analyze", "net.yaml") == (2, "", expected(marked, said))


@pytest.mark.parametrize(("layer", "said"), LAYERS)
def test_a_layer_that_cannot_be(run, layer, said):
    check(run, f"{HEAD}  - {layer}\n", [said])


@pytest.mark.parametrize(("text", "said"), EXPRESSIONS)
def test_what_is_no_expression(run, text, said):
    check(run, f"{HEAD}  - {{conv: 1x1, out: {text}}}\n", [said])


@pytest.mark.parametrize(("name", "spec", "said"), [(name, spec, said) for name, spec, *said in SPECS])
def test_a_spec_that_cannot_be(run, name, spec, said):
    check(run, spec.lstrip("\n"), said)


@pytest.mark.parametrize(("line", "said"), [(line, said) for line, *said in COMMANDS])
def test_a_command_that_cannot_run(run, line, said):
    files = {
        "my_net.yaml": b"vars: {res: 56, classes: 10}\ninput: [res, res, 3]\nlayers: [flatten, {linear: classes}]\n",
        "fixed.yaml": b"input: [56, 56, 3]\nlayers: [relu]\n",
        "bad.yaml": b"input: [56, 56, 3]\nlayers: [rellu]\n",
        "binary.yaml": bytes(range(256)),
        "latin.yaml": "# Größe\n".encode("latin-1"),
        "utf16.yaml": "input: [56, 56, 3]\n".encode("utf-16-le"),
        "empty.yaml": b"",
    }
    for name, data in files.items():
        with open(name, "wb") as file:
            file.write(data)
    message, *helps = said
    whole = "".join([f"error: {message}\n", *(f"  = help: {text}\n" for text in helps)])
    code, _, err = run(*line.split())
    assert (code, err.strip("\n")) == (2, (message if "\n" in message else whole).strip("\n"))


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"], ["--format=json"], ["-f", "json"], ["-fjson"]])
def test_an_error_as_json_is_one_object(run, option):
    with open("net.yaml", "w") as file:
        file.write("input: [56, 56, 3]\nlayers:\n  - {conv: 3x3, out: 8, strid: 2}\n  - {fc: 10}\n")
    code, out, err = run("analyze", "net.yaml", *option)
    first = {
        "code": "unknown-option",
        "message": "unknown option `strid`",
        "file": "net.yaml",
        "line": 3,
        "column": 25,
        "help": "a similar name exists: `stride`",
    }
    assert (code, out, err.count("\n")) == (2, "", 1)
    document = json.loads(err)
    assert document["error"] == document["errors"][0] == first
    assert [error["line"] for error in document["errors"]] == [3, 4]


def test_an_error_as_json_without_a_place(run):
    _, _, err = run("analyze", "mobilenet", "--alpha", "nan", "--json")
    help = "expected a finite number"
    message = "`alpha` cannot be `nan`"
    nowhere = {"file": None, "line": None, "column": None}
    assert json.loads(err) == {"error": {"code": "bad-value", "message": message, **nowhere, "help": help}}


def test_notes_are_in_the_json(run):
    _, _, err = run("analyze", "mobilenet", "--classes", "1.5", "--json")
    assert json.loads(err)["error"]["notes"] == ["here classes = 1.5"]


def test_a_page_of_errors_is_enough(run):
    with open("net.yaml", "w") as file:
        file.write("input: [56, 56, 3]\nlayers:\n" + "  - rellu\n" * (2 * ENOUGH))
    code, _, err = run("analyze", "net.yaml")
    assert (code, err.count("\nerror: ") + 1) == (2, MOST)
    assert err.endswith(f"{MOST} errors, and there are more\n")


def test_python_gets_the_same_words():
    with pytest.raises(errors.CostcalcError) as raised:
        analyze("mobilenet", alpha=-1)
    assert str(raised.value) == "`alpha` cannot be -1 (it must be more than 0, unless the spec gives it a `min`)"
