"""Every reader against files that are broken in ways that a grammar and chance suggest.

`python -m tests.fuzz` (`make fuzz`) makes small files of every kind, mutates them, and reads each
mutant in a process of its own: the reader may understand it or raise the project's own error, and
nothing else. What it finds is kept in `corpus`, which `test_corpus` replays.
"""
