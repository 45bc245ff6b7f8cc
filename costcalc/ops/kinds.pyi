from typing import Any, NamedTuple

Size = Any
Width = Any
Count = Any
Amount = Any
Steps = Any
PerAxis = Any
Scale = Any
Rate = Any
Rates = Any
Kernel = Any
Axes = Any
Sides = Any
Window = Any
Padding = Any
Flag = Any
Flags = Any
Shape = Any
Order = Any
Axis = Any
Interpolation = Any
Alignment = Any
Reduction = Any
Numbers = Any
Equation = Any
Label = Any
Branch = Any
Branches = Any

class Kind(NamedTuple):
    name: str
    form: str
    doc: str
    bind: Any
    words: tuple[str, ...] = ()
