"""Why do two counts differ?"""
