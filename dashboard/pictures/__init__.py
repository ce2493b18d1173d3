"""Charts as pictures: what is drawn, and the browser that draws it."""

from dashboard.pictures.drawing import Size, Subject, picture
from dashboard.pictures.saving import save_picture

__all__ = ["Size", "Subject", "picture", "save_picture"]
