"""JPEG 2000: OpenJPEG, its codestreams, and how chunks hold them."""
