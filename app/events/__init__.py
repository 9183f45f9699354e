"""Events: what happened, for those outside: published in one order, streamed and sent to webhooks.

chain_events (the indexer's) ─┐
                              ├─► events ─► publisher ─► position, deliveries ─► SSE stream, webhooks
operations, anchors ──────────┘  (same transaction
   (recorder)                     as the change)
"""
