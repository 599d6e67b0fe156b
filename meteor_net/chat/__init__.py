"""The conversation: channels on the server, and `ChatSystem`, the face that clients meet."""

from .system import ChatSystem

__all__ = ["ChatSystem"]
