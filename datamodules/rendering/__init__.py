"""Images made here from meshes, a camera and a light, with every factor known. Needs the extra `rendering`."""
