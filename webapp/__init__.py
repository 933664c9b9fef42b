"""The phone form: a Flask application on the library, with nothing of the rules inside it."""

from webapp.app import create_app
from webapp.serving import DemoExposed, PortTaken, serve
from webapp.settings import BadSetting, Settings

__all__ = ["BadSetting", "DemoExposed", "PortTaken", "Settings", "create_app", "serve"]
