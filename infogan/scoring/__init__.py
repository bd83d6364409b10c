"""The scores of one run and of many."""
