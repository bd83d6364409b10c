"""An experiment is a folder: made from a checked configuration, trained, and opened again to continue."""
