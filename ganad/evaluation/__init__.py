"""Numbers on scores: metrics, thresholds, intervals, comparisons, maps. NumPy and scikit-learn alone."""
