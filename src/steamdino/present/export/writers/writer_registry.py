"""The registry of writers. A new format is a new module in this folder and a line here."""

from __future__ import annotations

from steamdino.present.export.writers.bbcode import BBCode
from steamdino.present.export.writers.csv_table import CsvTable
from steamdino.present.export.writers.html_sheet import HtmlSheet
from steamdino.present.export.writers.id_list import IdList
from steamdino.present.export.writers.json_record import JsonRecord
from steamdino.present.export.writers.legacy_json import LegacyJson
from steamdino.present.export.writers.markdown import Markdown
from steamdino.present.export.writers.parquet_table import ParquetTable
from steamdino.present.export.writers.png_sheet import PngSheet
from steamdino.present.export.writers.writer import Writer

WRITERS: dict[str, Writer] = {
    writer.name: writer
    for writer in (
        JsonRecord(),
        CsvTable(),
        Markdown(),
        BBCode(),
        HtmlSheet(),
        IdList(),
        LegacyJson(),
        ParquetTable(),
        PngSheet(),
    )
}
"""By the names that `--format` takes."""
