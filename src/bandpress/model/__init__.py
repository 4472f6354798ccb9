"""The network: transforms, hyperprior, training, store. TensorFlow lives here and nowhere else."""
