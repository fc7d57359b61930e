"""The report of a study: sections of results, tables and figures, and one page of HTML."""

from centrum.report.build import write_report

__all__ = ["write_report"]
