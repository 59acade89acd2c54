"""Ascent of a class's log-odds by gradient, through pixels, Fourier coefficients or the weights of CPPNs."""
