"""Published signatures that ship with the package, as YAML."""
