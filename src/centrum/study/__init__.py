"""A folder to a table: what a study is, and how its cases become features."""

from centrum.study.study import Study, open_study

__all__ = ["Study", "open_study"]
