"""Web pages: Mind2Web's protocol on its files, and sites of our own, recorded or live."""

from .page import Node, Page, parse, to_html, to_xml
from .pruning import describe, excerpt, prune, short, whole
from .ranker import DEPTHS, query, rank, rank_step, recall
from .rounds import BATCH, POOL, Chosen, Rounds
from .schema import OPERATIONS, TOLD_ACTIONS, Candidate, WebStep, WebTask, read_tasks, write_tasks
from .scores import Ranks, read_ranks, write_scores

__all__ = [
    "BATCH",
    "DEPTHS",
    "OPERATIONS",
    "POOL",
    "TOLD_ACTIONS",
    "Candidate",
    "Chosen",
    "Node",
    "Page",
    "Ranks",
    "Rounds",
    "WebStep",
    "WebTask",
    "describe",
    "excerpt",
    "parse",
    "prune",
    "query",
    "rank",
    "rank_step",
    "read_ranks",
    "read_tasks",
    "recall",
    "short",
    "to_html",
    "to_xml",
    "whole",
    "write_scores",
    "write_tasks",
]
