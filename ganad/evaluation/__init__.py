"""Numbers on scores: metrics, thresholds, intervals, comparisons, maps. NumPy, pandas and scikit-learn."""
