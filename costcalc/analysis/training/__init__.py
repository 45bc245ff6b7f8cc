"""What does training cost?"""
