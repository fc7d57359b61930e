"""The report of a study: sections of results, tables and figures, and one page of HTML."""
