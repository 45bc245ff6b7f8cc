"""Which networks of a space, within budgets, score best?"""
