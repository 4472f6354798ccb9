"""Text from files as a terminal may get it."""


def printable(text: str) -> str:
    """Return text with escapes in place of characters that steer a terminal, or that cannot be printed at all."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )
