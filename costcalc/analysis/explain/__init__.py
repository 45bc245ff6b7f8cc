"""How is a number worked out?"""
