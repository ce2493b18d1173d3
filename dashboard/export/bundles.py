"""Several pictures in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from dashboard.errors import PicturePackageMissingError


@dataclass(frozen=True, slots=True)
class File:
    """A file that is not written yet.

    Attributes:
        name: Its name, with its ending.
        title: What it shows.
        content: What it holds.
    """

    name: str
    title: str
    content: bytes


def one_pdf(files: Sequence[File], title: str) -> bytes:
    """The pages of some PDFs one after the other, each with a bookmark.

    Raises:
        PicturePackageMissingError: pypdf is not installed.
    """
    try:
        # It takes a while to import, and a host need not have it.
        from pypdf import PdfWriter  # noqa: PLC0415
    except ModuleNotFoundError:
        raise PicturePackageMissingError("pypdf") from None
    content = BytesIO()
    with PdfWriter() as writer:
        for file in files:
            writer.append(BytesIO(file.content), outline_item=file.title)
        writer.add_metadata({"/Title": title})
        writer.write(content)
    return content.getvalue()


def one_zip(files: Sequence[File], at: datetime) -> bytes:
    """Some files in a ZIP archive, as of an instant."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for file in files:
            entry = ZipInfo(file.name, at.timetuple()[:6])
            # A file that all may read, as any other on disk.
            entry.external_attr, entry.compress_type = 0o644 << 16, ZIP_DEFLATED
            archive.writestr(entry, file.content)
    return content.getvalue()
