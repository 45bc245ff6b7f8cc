"""A report as CSV: one row a layer, plain integers, no totals row."""

import csv
import io

from .columns import PLAIN, PLAIN_GROUP, columns_of, printable, public, records, selected

FORMULA = ("=", "+", "-", "@", "\t", "\r", "|")  # what a formula can begin with


def render(report, view, screen):
    """The rows, under the column names of the JSON contract."""
    columns = columns_of(view, report, PLAIN, PLAIN_GROUP)
    out = io.StringIO()
    writer = csv.DictWriter(out, [public(name, report) for name in columns], lineterminator="\n")
    writer.writeheader()
    for record in records(report, selected(report, view), columns):
        writer.writerow({name: harmless(value) for name, value in record.items()})
    return out.getvalue()


def harmless(value):
    """A text that steers no terminal, and that a spreadsheet takes for no formula: an apostrophe leads it."""
    if type(value) is not str:
        return value
    text = printable(value)
    return "'" + text if value[:1] in FORMULA else text
