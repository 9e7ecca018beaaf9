"""One file per real export: ``identify(head) → is it mine?``, ``read(head, context) → canonical rows and Problems``.

Comes in: a shop's files as platforms write them. Goes out: batches of canonical rows, tokenised and masked, and Problems.
"""
