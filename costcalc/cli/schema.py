"""costcalc schema"""

import click


@click.command()
@click.option("-o", "--output", metavar="FILE", help="Write to FILE.")
def command(output):
    """A JSON Schema (draft-07) of the spec language, for editors.

    The YAML language server reads it when the first line of a spec names it:
    `# yaml-language-server: $schema=spec.schema.json`

    \b
    Examples:
      costcalc schema -o spec.schema.json
    """
    import json

    from ..schema import schema
    from .output import deliver

    deliver(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", output)
