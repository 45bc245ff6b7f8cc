"""One folder per question, with its data and its page."""
