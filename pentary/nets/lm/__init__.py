"""EGG: a byte-level language model of integers, trained with evolution strategies.

A minimal gated recurrent unit and a multilayer perceptron in each layer, weights of one pent, activations of four;
`architecture/text.md` specifies it. The architecture of the model is that of the EGGROLL paper's nano-egg and of
egg.c; the arithmetic is this project's own.
"""
