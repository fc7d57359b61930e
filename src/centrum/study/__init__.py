"""A folder to a table: what a study is, and how its cases become features."""
