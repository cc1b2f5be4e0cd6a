from stem import task as background

__all__ = ["background"]
