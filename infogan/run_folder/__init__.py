"""A run on the disk: paths, locks, whole files, and what is in them."""
