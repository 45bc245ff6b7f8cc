"""What a quantity counts and how it totals: metrics, conventions, and the counters of other tools."""
