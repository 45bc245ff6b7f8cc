"""One folder a question: its data and its page."""
