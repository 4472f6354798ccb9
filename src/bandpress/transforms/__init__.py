"""Spectral and spatial transforms: KLT, reversible KLT, wavelet."""
