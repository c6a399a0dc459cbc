"""Assembly programs of training and of the kernels, and how they are assembled."""
