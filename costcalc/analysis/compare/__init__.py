"""What is the difference between two designs?"""
