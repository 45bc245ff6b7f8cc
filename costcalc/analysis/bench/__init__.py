"""How long does a network take on this machine?"""
