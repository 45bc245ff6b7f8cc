"""How does the cost move with the variables?"""
