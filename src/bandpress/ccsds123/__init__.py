"""CCSDS 123.0-B-2: predictor, sample-adaptive and hybrid coder, header. From the public standard."""
