"""Pictures from arrays: pure functions that return images."""
