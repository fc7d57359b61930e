"""The reading room without its web page: what readers draw, how it is kept, and for whom.

`room.yaml` has the choices, `tickets.json` whose case a token is, a journal for each reader and
session everything that was done; the state of a case is the replay of its lines. `Desk` has the
verbs. Nothing here knows HTTP.
"""
