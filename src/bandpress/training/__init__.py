"""Shared by every training: checkpoints and fingerprints of the scenes."""
