"""What is the cost as a formula?"""
