"""A report as a LaTeX table (booktabs), for papers."""

from .columns import BY_GROUP, BY_LAYER, COLUMNS, cell, columns_of, heading, selected, total
from .notes import notes

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{char: "\\" + char for char in "&%$#_{}"},
    **{char: "{" + char + "}" for char in "[]*"},  # after `\\` and `\midrule` they would begin an option
}


def render(report, view, screen):
    r"""A tabular that needs \usepackage{booktabs}, and the notes as comments."""
    lines = selected(report, view)
    columns = columns_of(view, report, BY_LAYER, BY_GROUP)
    heads = [view.by if name == "name" else heading(name, report) for name in columns]
    rows = [[cell(name, report, line) for name in columns] for line in lines]
    foot = [_foot(name, number, report) for number, name in enumerate(columns)]
    spec = "".join("r" if COLUMNS[name].number else "l" for name in columns)
    comments = [f"% {note}" for note in ("needs \\usepackage{booktabs}", *notes(report, view, len(lines)))]
    body = [
        f"\\begin{{tabular}}{{{spec}}}",
        "\\toprule",
        _row(heads),
        "\\midrule",
        *map(_row, rows),
        "\\midrule",
        _row(foot),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join([*comments, *body]) + "\n"


def escaped(text):
    """A text that LaTeX prints as it is."""
    return "".join(_SPECIAL.get(char, char) for char in text)


def _row(cells):
    return " & ".join(escaped(text) for text in cells) + r" \\"


def _foot(name, number, report):
    if name in ("cost", "params"):
        return total(report, name)
    return "total" if number == 0 else ""
