"""The phone form: a Flask application on the library, with nothing of the rules inside it."""

from webapp.app import create_app
from webapp.serving import PortTaken, serve
from webapp.settings import Settings

__all__ = ["PortTaken", "Settings", "create_app", "serve"]
