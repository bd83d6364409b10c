"""Where numbers go: metrics.csv in the run folder always; Weights & Biases where it is asked for."""
