"""costcalc schema"""

from __future__ import annotations

import click


@click.command()
@click.option("--checks", is_flag=True, help="Print the schema of costcalc.yaml, the file of checks.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE.")
def command(checks: bool, output: str | None) -> None:
    """Print a JSON Schema (draft-07) of the spec language, or of the file of checks, for editors.

    The YAML language server uses it if the first line of a spec names it:
    `# yaml-language-server: $schema=spec.schema.json`

    \b
    Examples:
      costcalc schema -o spec.schema.json
      costcalc schema --checks -o costcalc.schema.json
    """
    import json

    from .options import deliver

    if checks:
        from ..budget.schema import schema
    else:
        from ..read.spec.schema import schema
    deliver(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", output)
