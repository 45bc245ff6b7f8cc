"""One folder per question: its data and its page."""
