"""Numbers from arrays: one short file a metric, pure functions on NumPy arrays."""
