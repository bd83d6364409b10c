"""InfoGAN as a LightningModule. Knows no callback, no folder and no Weights & Biases."""
