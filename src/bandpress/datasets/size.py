"""Human-readable sizes."""


def in_words(size: int) -> str:
    """Return a number of bytes with three digits and a unit."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bytes_:
            return f"{size / bytes_:.3g} {unit}" if size < 100 * bytes_ else f"{size / bytes_:.0f} {unit}"
    return f"{size} bytes"
