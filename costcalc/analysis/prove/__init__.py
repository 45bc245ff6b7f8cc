"""Do the rules count what brute force counts?"""
