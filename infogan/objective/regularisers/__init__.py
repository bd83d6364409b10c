"""Terms of the loss beside the game and the information of the codes, a file each."""
