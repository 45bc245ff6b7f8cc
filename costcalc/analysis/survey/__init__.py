"""What do all the models below a directory cost?"""
