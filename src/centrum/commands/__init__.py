"""The verbs of the command line, which Python programs can call as well."""
