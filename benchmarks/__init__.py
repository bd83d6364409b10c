"""Speed, measured against the bare loop of the same mathematics in the same process."""
