"""The typed schema of conf/: every key, its type, its range and its meaning. The values live in the YAML files."""
