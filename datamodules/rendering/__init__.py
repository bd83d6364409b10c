"""Images made here with every factor known: meshes under a camera and a light, which need the extra `rendering`, and
digits of free fonts, which need none."""
