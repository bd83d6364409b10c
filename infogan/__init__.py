"""The InfoGAN laboratory: the model, and what is done with it. Nothing is imported before it is used."""
