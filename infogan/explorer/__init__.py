"""The codes of a trained model under sliders, on a page in the browser that talks to this machine alone."""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
os.environ["HF_HUB_OFFLINE"] = "1"  # of a library that gradio brings
