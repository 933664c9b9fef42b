"""A report's HTML as an accessible A4 PDF, by WeasyPrint, which is an extra: without it the browser's print does."""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

STYLE = Path(__file__).parents[1] / "static" / "report.css"
#: Tagged for screen readers, ISO 14289-1.
VARIANT = "pdf/ua-1"


class NoPdf(RuntimeError):
    """WeasyPrint is not installed, or lacks its system library."""


def available() -> bool:
    """Whether PDFs can be made here; cheap, and certain only once `render` was tried."""
    return find_spec("weasyprint") is not None


def render(html: str, style: Path = STYLE) -> bytes:
    """The page as PDF/UA. Nothing is fetched: all it shows stands in it.

    Raises:
        NoPdf: WeasyPrint cannot be used here.
    """
    weasyprint = _weasyprint()
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data",))
    sheet = weasyprint.CSS(string=style.read_text("utf-8"), url_fetcher=fetcher, media_type="print")
    document = weasyprint.HTML(string=html, url_fetcher=fetcher, media_type="print")
    made: bytes = document.write_pdf(stylesheets=[sheet], pdf_variant=VARIANT, full_fonts=False)
    return made


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint
        import weasyprint.urls
    except (ImportError, OSError) as error:
        raise NoPdf(str(error)) from error
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    return weasyprint
