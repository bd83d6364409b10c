"""A trained model opened again, and what is done with it."""
