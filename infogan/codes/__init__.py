"""The kinds of codes, and the latents that they make up with the noise."""
