"""The indexer: projects the contracts' events into tables that can be dropped and rebuilt.

LogReader ─► indexer ─► projector ─► rows ─► tables
                └────── undo ◄── reorganisation
"""

from .digest import projection_digest
from .indexer import Indexer

__all__ = ["Indexer", "projection_digest"]
