"""Reports: what is known of a run or of a sweep, on one HTML page that loads nothing."""
