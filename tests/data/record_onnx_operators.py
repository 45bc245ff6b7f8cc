"""Write costcalc/read/onnx/operators.txt: the inputs, outputs and attributes of all ONNX operators.

python tests/data/record_onnx_operators.py costcalc/read/onnx/operators.txt
"""

import sys

from onnx import defs

HEAD = "# operator | since:inputs>outputs .. | attribute=types@since-until!required since .. (recorded from onnx.defs)"
LETTERS = {"FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g", "FLOATS": "F", "INTS": "I"}
LETTERS |= {"STRINGS": "S", "TENSORS": "T", "GRAPHS": "G", "SPARSE_TENSOR": "x", "TYPE_PROTO": "y"}


def versions():
    """The schemas of the standard domain: {operator: schemas, oldest first}."""
    found = {}
    for one in sorted(defs.get_all_schemas_with_history(), key=lambda one: (one.name, one.since_version)):
        if one.domain == "":
            found.setdefault(one.name, []).append(one)
    return found


def sides(schema):
    """The allowed numbers of inputs and outputs of an operator."""
    most = [min(one, 999) for one in (schema.max_input, schema.max_output)]
    return f"{schema.min_input}-{most[0]}>{schema.min_output}-{most[1]}"


def attributes(schemas):
    """The attributes of all versions of an operator."""
    names = sorted({name for one in schemas for name in one.attributes})
    for name in names:
        having = [one for one in schemas if name in one.attributes]
        letters = "".join(sorted({LETTERS[one.attributes[name].type.name] for one in having}))
        after = [one.since_version for one in schemas if one.since_version > having[-1].since_version]
        text = f"{name}={letters}@{having[0].since_version}-{after[0] - 1 if after else 999}"
        needed = [one.since_version for one in having if one.attributes[name].required]
        always = needed and all(one.attributes[name].required for one in having if one.since_version >= needed[0])
        yield f"{text}!{needed[0]}" if always else text


def recorded():
    """The text of the table."""
    lines = [HEAD]
    for name, schemas in versions().items():
        counts, last = [], ""
        for one in schemas:
            if sides(one) != last:
                last = sides(one)
                counts.append(f"{one.since_version}:{last}")
        lines.append(f"{name}|{' '.join(counts)}|{' '.join(attributes(schemas))}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(recorded())
