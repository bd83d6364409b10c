"""Values of codes as people read and write them."""


def signed(value: float, digits: int) -> str:
    return f"{round(value, 6):+.{digits}g}" if abs(value) > 1e-6 else "0"


def as_given(value: object) -> str:
    """As it was written on the command line."""
    return str(value).replace(" ", "") if isinstance(value, list) else str(value)
