"""Import of the authors' models and streams."""
