"""What the server tells of itself: its version, its user, its variables."""

from __future__ import annotations

from .catalog import DATABASE
from .sqlite_text import quote

VERSION = "8.0.36"
USER = "agent@localhost"
#: Functions whose answer the server's state gives.
ABOUT: dict[str, tuple[str, str]] = {
    "database": (quote(DATABASE), "text"), "schema": (quote(DATABASE), "text"),
    "version": (quote(VERSION), "text"), "user": (quote(USER), "text"),
    "current_user": (quote(USER), "text"), "session_user": (quote(USER), "text"),
    "system_user": (quote(USER), "text"), "connection_id": ("1", "int"),
    "last_insert_id": ("0", "int"), "row_count": ("-1", "int"), "found_rows": ("0", "int"),
}  # fmt: skip
VARIABLES: dict[str, tuple[str, str]] = {
    "version": (quote(VERSION), "text"),
    "sql_mode": (
        quote(
            "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
        ),
        "text",
    ),
    "autocommit": ("1", "int"),
    "max_connections": ("151", "int"),
    "max_allowed_packet": (str(16 * 2**20), "int"),
    "group_concat_max_len": ("1024", "int"),
    "cte_max_recursion_depth": ("1000", "int"),
    "character_set_database": (quote("utf8mb4"), "text"),
    "collation_database": (quote("utf8mb4_0900_ai_ci"), "text"),
    "collation_connection": (quote("utf8mb4_0900_ai_ci"), "text"),
    "lower_case_table_names": ("0", "int"),
    "version_comment": (quote("MySQL Community Server - GPL"), "text"),
}
