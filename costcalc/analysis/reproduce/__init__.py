"""Do the computed figures match the published ones?"""
