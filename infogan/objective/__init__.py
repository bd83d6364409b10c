"""The mathematics of training: the adversarial game and the mutual information lower bound."""
