"""How long does it take here?"""
