"""Text from files, made safe for a terminal."""


def printable(text: str) -> str:
    """Return text with control and unprintable characters escaped."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )
