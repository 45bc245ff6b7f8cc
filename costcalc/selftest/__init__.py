"""Every operation executed in loops over small arrays, counting each multiply-add.

The oracle for the rules of `costcalc.ops`: it follows the definitions in the frameworks' documentation and shares no
code with the rules. Nothing here imports any other part of costcalc.
"""
