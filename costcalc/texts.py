"""Values of variables as people write them, on the command line and in files."""

import re

from . import limits
from .errors import OptionError, Problem, brief


def read_value(name, text):
    """The value of a text: a number, true or false, or a word. Raises OptionError."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        value = float(text) if len(text) > 40 or re.search(r"[.eE]", text) else int(text)
        if abs(value) < 10**limits.DIGITS:
            return value
        help = f"a number has at most {limits.DIGITS} digits"
        raise OptionError(Problem("bad-value", f"`{name}` cannot be `{brief(text)}`", help=help))
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) and text.lower() not in ("nan", "inf", "infinity"):
        return text
    help = "a number has a decimal point" if re.fullmatch(r"\d+,\d+", text) else "a finite number is due"
    raise OptionError(Problem("bad-value", f"`{name}` cannot be `{brief(text)}`", help=help))
