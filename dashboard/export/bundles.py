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
    """A file that has not been written yet.

    Attributes:
        name: File name, with its extension.
        title: Title of the picture.
        content: Bytes of the file.
    """

    name: str
    title: str
    content: bytes


def one_pdf(files: Sequence[File], title: str) -> bytes:
    """Join PDFs into one, with a bookmark for each.

    Raises:
        PicturePackageMissingError: pypdf is not installed.
    """
    try:
        # Slow to import, and optional on a host.
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
    """Pack files into a ZIP archive, with an instant as their modification time."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for file in files:
            entry = ZipInfo(file.name, at.timetuple()[:6])
            # Readable by everybody, like other files on disk.
            entry.external_attr, entry.compress_type = 0o644 << 16, ZIP_DEFLATED
            archive.writestr(entry, file.content)
    return content.getvalue()
