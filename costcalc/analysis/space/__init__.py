"""How many networks are in a space of designs, and how many of them fit?"""
