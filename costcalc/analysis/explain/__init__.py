"""How is a number computed?"""
