"""costcalc zoo"""

import click


@click.command()
def command():
    """The shipped configs, with their totals at the defaults.

    \b
    Examples:
      costcalc zoo
      costcalc analyze resnet50
    """
    from ..analysis import analyze
    from ..loading import configs

    rows = [("config", "mult-adds", "params", "what it is")]
    for name in configs():
        report = analyze(name)
        cost, params = report.totals.values()
        rows.append((name, f"{cost:,}", f"{params:,}", title(report.model.source.text)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, cost, params, what in rows:
        click.echo(f"{name:{widths[0]}}  {cost:>{widths[1]}}  {params:>{widths[2]}}  {what}")


def title(text):
    """What a config says of itself: its first comment line that is for people."""
    lines = (line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("yaml-language-server")), "")
