"""A QR code as inline SVG."""

from __future__ import annotations

import segno
from markupsafe import Markup

#: Medium: a crease or a spot of ink does not spoil it.
CORRECTION = "m"
#: Light modules around the code, as the standard of QR codes asks.
QUIET = 4


def qr_code(address: str, title: str) -> Markup:
    """The code of an address, scaled by the style sheet; dark on white whatever the colours of the page."""
    code = segno.make(address, error=CORRECTION, micro=False)
    drawn = code.svg_inline(border=QUIET, omitsize=True, dark="#000", light="#fff", title=title, svgclass="qr")
    return Markup(drawn.replace("<svg ", '<svg role="img" ', 1))
