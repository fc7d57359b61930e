"""The reading room in the browser: who may enter, what is answered, and on which address."""
