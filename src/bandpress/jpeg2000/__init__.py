"""JPEG 2000: OpenJPEG, its codestreams, and their storage in chunks."""
