"""How many networks has a space of designs, and how many of them fit?"""
