"""Parts shared by every training: checkpoints, budget, and fingerprints of scenes."""
