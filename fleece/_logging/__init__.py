"""How `fleece.log` works inside: from a call or a record to one line of JSON.

`encoding` (any value to JSON) → `line` (what a line holds) → `record` (a log record whose message is its line; `origin`
says where it was made) → `logger` (what a program calls) and `handler` (what writes). `context` and `invocation` say
which fields apply now, `retry` tries again what was not taken, `arguments` refuses what cannot be meant.
"""
