"""What is the largest setting within a budget?"""
