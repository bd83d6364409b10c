"""Getting the originals: found, checked, downloaded where missing."""
