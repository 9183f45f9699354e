"""`/v1/reports`: for staff; an organisation reads what is about itself."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from app.reports import formats, service
from app.reports.question import Question
from app.reports.schemas import Catalogue, ReportAbout, ReportFile, Title
from app.route import QuerySession, Reader, TheGateway

router = APIRouter(prefix="/v1/reports", tags=["reports"])

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ReportFile,
        "description": "The report, in the format asked for.",
        "content": {media_type: {} for media_type in formats.MEDIA_TYPES.values() if media_type != "application/json"},
    }
}


@router.get("")
def list_reports(caller: Reader) -> Catalogue:
    """The reports that the caller may read, and the parameters that they take."""
    return Catalogue(
        items=[
            ReportAbout(
                name=report.name,
                title=Title(zh=report.zh, en=report.en),
                about=Title(zh=report.about_zh, en=report.about_en),
                takes=list(report.takes),
                needs=list(report.needs),
            )
            for report in service.readable(caller)
        ]
    )


@router.get("/{name}", response_class=Response, responses=_FILE)
def read_report(
    name: str,
    session: QuerySession,
    caller: Reader,
    gateway: TheGateway,
    *,
    file_format: Annotated[Literal["json", "csv", "xlsx", "pdf"], Query(alias="format")] = "json",
    language: Annotated[Literal["zh", "en"], Query(description="Of headings and names.")] = "zh",
    as_of: Annotated[
        str | None,
        Query(max_length=15, description="A block number, or a day as 2026-03-05: its end in China. Else, now."),
    ] = None,
    dimension: Literal["programmes", "periods", "tiers", "regions", "kinds", "suppliers"] = "programmes",
    by: Literal["day", "month"] = "month",
    first: Annotated[date | None, Query(description="First day, in China.")] = None,
    last: Annotated[date | None, Query(description="Last day, in China.")] = None,
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    key: Annotated[str | None, Query(max_length=80, description="One value of the dimension.")] = None,
    supplier: Annotated[str | None, Query(max_length=64, description="A supplier's USCC.")] = None,
    voucher_id: Annotated[int | None, Query(gt=0, lt=2**48)] = None,
) -> Response:
    """A report, with the block that it was read at and digests of its rows. `GET /v1/reports` lists the reports and the
    parameters of each; one that a report does not take is refused."""
    question = Question(
        dimension=dimension,
        by=by,
        first=first,
        last=last,
        programme_id=programme_id,
        key=key,
        supplier=supplier,
        voucher_id=voucher_id,
        as_of=as_of,
        language=language,
    )
    export = service.read(session, gateway, caller, name, question, file_format=file_format)
    filename = f"{export.filename}.{file_format}"
    headers = {} if file_format == "json" else {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(formats.WRITERS[file_format](export), 200, headers, media_type=formats.MEDIA_TYPES[file_format])
