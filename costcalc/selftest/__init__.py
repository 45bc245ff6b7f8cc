"""Every operation performed in loops over small arrays, each multiply-add counted as it happens.

The oracle for the rules of `costcalc.ops`: it is written from the definitions of the operations, as the frameworks
document them, and shares no code with the rules. Nothing here imports any other part of costcalc.
"""
