"""What does it cost, layer by layer?"""
