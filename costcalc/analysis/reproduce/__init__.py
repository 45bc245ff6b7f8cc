"""Are the published figures met?"""
