"""Training of the language model: the text in two parts, n-gram models of it, and the run."""
