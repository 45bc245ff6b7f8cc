"""Suggestions for invalid input. Imported only when a spec has a problem."""

from __future__ import annotations

import re
from typing import Any

from ...errors import BadExpression, brief
from ...syntax.messages import tuple_hint

_EXPRESSIONS = (  # pattern -> suggestion; the first match is used
    (r"^0[xXbBoO]|\d[jJ]\b", "write decimal digits"),
    (r"^\d+(x\d+)+$", "expected a number or a condition, found a kernel"),
    (r"^(\d+)\s*[xX×]\s*(\d+)$", "a kernel is written {}x{}"),
    (r"[^\x00-\x7f]", "use ASCII letters, digits and signs; this character only looks like one"),
    (r"\n", "write it on one line"),
    (r"\$", "write the name alone, as in `alpha * 32`"),
    (r"\^", "a power is written a ** b"),
    (r"^\d{1,3}(,\d{3})+$", "write the digits without commas"),
    (r"\d_\d", "write the digits without `_`"),
    (r"^[\d.]+\s*[kKMGB]$", "write all digits: 2M is 2000000"),
    (r"^\d+\s*%$", "write a factor: 50% is 0.5"),
    (r"\bTrue\b", "write `true`"),
    (r"\bFalse\b", "write `false`"),
    (r"\bNone\b", "leave the option out"),
    (r"&|\||!(?!=)|~", "write `and`, `or`, `not`"),
    (r"\?", "write `a if condition else b`"),
    (r"(?<![<>=!])=(?!=)", "write `==` to compare; a value needs no `=`"),
    (r"['\"]", "only numbers and names are allowed here, not text"),
    (r"[\[\]{}]", "only numbers and names are allowed here, not lists or maps"),
    (r"^-?[\d.]+\s*(\(|[A-Za-z_]+$)", "a product is written with `*`"),
    (r"\bif\b(?!.*\belse\b)", "write `a if condition else b`"),
)
_NOTHING = "write a number after the colon, or leave the option out"
_ANYTHING = "numbers and names, joined by `+ - * / // % **`, or `max(..)`, `floor(..)`, `a if c else b`"
TRUTHS = {
    **dict.fromkeys(("yes", "on", "True", "TRUE"), "write `true`"),
    **dict.fromkeys(("no", "off", "False", "FALSE"), "write `false`"),
    **dict.fromkeys(("None", "none"), "leave the option out"),
}
_OPERATIONS = {  # names of operations elsewhere -> suggestion
    **dict.fromkeys(("fc", "dense", "fully_connected", "affine", "innerproduct"), "write `linear: 1000`"),
    **dict.fromkeys(("bn", "norm", "batch_norm", "batchnormalization"), "write `batchnorm`"),
    **dict.fromkeys(("depthwise", "depthwise_conv", "conv_dw", "dw"), "write `{dwconv: 3x3}`"),
    **dict.fromkeys(("pointwise", "conv_pw", "pw"), "write `{conv: 1x1, out: 64}`"),
    **dict.fromkeys(("deconv", "convtranspose", "transposed_conv"), "write `conv_transpose`"),
    **dict.fromkeys(("gap", "globalavgpool", "global_avgpool", "globalpool"), "write `avgpool: global`"),
    **dict.fromkeys(("cat", "concatenate", "route"), "write `concat: [[..], [..]]`"),
    **dict.fromkeys(("shortcut", "skip"), "write `add: [[], [..]]`, or `residual: true` on the layer"),
    **dict.fromkeys(("group", "stage", "sequential"), "write `layers: [..]`"),
    **dict.fromkeys(("ln", "layer_norm"), "write `layernorm`"),
    **dict.fromkeys(("se", "squeeze_and_excite"), "write `squeeze_excite`"),
}
_OPTIONS = {
    **dict.fromkeys(("filters", "channels", "units", "features", "width", "outputs", "out_channels", "n"), "out"),
    **dict.fromkeys(("activation", "act", "norm", "bn", "relu", "batchnorm"), "then"),
    **dict.fromkeys(("name", "id", "label"), "as"),
    **dict.fromkeys(("input", "inputs", "of"), "from"),
    **dict.fromkeys(("count", "number", "n_times", "repeats"), "repeat"),
    **dict.fromkeys(("if", "only", "enabled"), "when"),
    **dict.fromkeys(("use_bias", "has_bias"), "bias"),
    **dict.fromkeys(("rate", "dilation_rate"), "dilation"),
}


def expression_hint(text: str, problem: BadExpression, several: bool = False) -> str | None:
    """Suggestion for an invalid expression, or None. `several`: a kernel would be valid too."""
    if several and tuple_hint(text):
        return tuple_hint(text)
    if problem.code == "unknown-variable":
        return TRUTHS.get(text.strip()) or problem.help
    if problem.help or problem.code != "bad-expression":
        return problem.help
    if not text.strip():
        return _NOTHING
    for pattern, help in _EXPRESSIONS:
        found = re.search(pattern, text.strip())
        if found:
            return help.format(*found.groups())
    return _ANYTHING


def operation_hint(name: str, known: list[str], value: str = "") -> str | None:
    """Suggestion for an unknown operation, or None. `value` is the value it was given."""
    head, paren, _ = name.partition("(")
    if paren and head.strip() in known:
        return f"write the value after a colon: `{head.strip()}: ..`, and options in {{ }}"
    first, blank, rest = name.partition(" ")
    if blank and first in known:
        return f"write `{{{first}: {brief(rest)}}}`"
    plain = re.sub(r"(?<=[a-z])\dd$", "", name.lower())
    return _with_value(_OPERATIONS.get(plain), value)


def _with_value(help: Any, value: str) -> str | None:
    """Replace the value in an example such as `linear: 10` by the user's value if it has the right form."""
    example = re.search(r"\d+(x\d+)?(?=}?`$)", help or "")
    kind = r"[\w.]{1,20}" if example and not example[1] else r"\d{1,4}(x\d{1,4})*"
    kernel = r"\d+(x\d+)+"
    if example is None or not re.fullmatch(kind, value) or (not example[1] and re.fullmatch(kernel, value)):
        return help
    return help[: example.start()] + value + help[example.end() :]


def option_hint(name: str, known: set[str], main: str | None) -> str | None:
    """Suggestion for an unknown option, or None."""
    if name == main or (main == "kernel" and name in ("size", "kernel_size")):
        return f"the {main} is the value of the operation itself, as in {{conv: 3x3, out: 32}}"
    ours = _OPTIONS.get(name.lower(), name)
    if ours == "out" and "multiplier" in known:
        return "it keeps the channels, times `multiplier`; `{separable: 64}` adds the 1x1 convolution that changes them"
    if ours == "then" and "then" in known:
        return "what follows a layer is written `then: [batchnorm, relu]`"
    return f"it is called `{ours}` here" if ours in known else None
