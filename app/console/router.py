"""`/console`: pages as files. Nothing on them is secret; what they show comes from the API, by the reader's key."""

from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse

router = APIRouter(prefix="/console", include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
# Only scripts and styles of this service run, nothing is sent elsewhere, and no other site shows the pages in a frame.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@router.get("")
def index() -> RedirectResponse:
    """To the reports."""
    return RedirectResponse("/console/reports")


@router.get("/reports")
def reports() -> FileResponse:
    """The page of reports."""
    return FileResponse(_FOLDER / "reports.html", headers=_HEADERS)


@router.get("/static/{name}")
def static(name: Literal["reports.css", "reports.js", "texts.js", "format.js"]) -> FileResponse:
    """Scripts and styles."""
    return FileResponse(_FOLDER / name, headers=_HEADERS)
