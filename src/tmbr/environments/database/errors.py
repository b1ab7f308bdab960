"""What MySQL says when it refuses: number, SQL state and text as MySQL 8 gives them."""

from __future__ import annotations

#: number -> (SQL state, text with places for the names).
ERRORS: dict[int, tuple[str, str]] = {
    1007: ("HY000", "Can't create database '{}'; database exists"),
    1008: ("HY000", "Can't drop database '{}'; database doesn't exist"),
    1044: ("42000", "Access denied for user 'agent'@'%' to database '{}'"),
    1046: ("3D000", "No database selected"),
    1048: ("23000", "Column '{}' cannot be null"),
    1049: ("42000", "Unknown database '{}'"),
    1050: ("42S01", "Table '{}' already exists"),
    1051: ("42S02", "Unknown table '{}'"),
    1052: ("23000", "Column '{}' in {} is ambiguous"),
    1054: ("42S22", "Unknown column '{}' in '{}'"),
    1055: (
        "42000",
        "Expression #{} of {} is not in GROUP BY clause and contains nonaggregated column '{}' which is"
        " not functionally dependent on columns in GROUP BY clause; this is incompatible with"
        " sql_mode=only_full_group_by",
    ),
    1056: ("42000", "Can't group on '{}'"),
    1059: ("42000", "Identifier name '{}' is too long"),
    1060: ("42S21", "Duplicate column name '{}'"),
    1062: ("23000", "Duplicate entry '{}' for key '{}'"),
    1064: (
        "42000",
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server"
        " version for the right syntax to use near '{}' at line {}",
    ),
    1065: ("42000", "Query was empty"),
    1066: ("42000", "Not unique table/alias: '{}'"),
    1068: ("42000", "Multiple primary key defined"),
    1090: ("42000", "You can't delete all columns with ALTER TABLE; use DROP TABLE instead"),
    1091: ("42000", "Can't DROP '{}'; check that column/key exists"),
    1093: ("HY000", "You can't specify target table '{}' for update in FROM clause"),
    1096: ("HY000", "No tables used"),
    1102: ("42000", "Incorrect database name '{}'"),
    1103: ("42000", "Incorrect table name '{}'"),
    1105: ("HY000", "Unknown error: {}"),
    1109: ("42S02", "Unknown table '{}' in {}"),
    1110: ("42000", "Column '{}' specified twice"),
    1111: ("HY000", "Invalid use of group function"),
    1113: ("42000", "A table must have at least 1 column"),
    1114: ("HY000", "The table '{}' is full"),
    1115: ("42000", "Unknown character set: '{}'"),
    1117: ("HY000", "Too many columns"),
    1136: ("21S01", "Column count doesn't match value count at row {}"),
    1139: ("42000", "Got error '{}' from regexp"),
    1140: (
        "42000",
        "In aggregated query without GROUP BY, expression #{} of {} contains nonaggregated column '{}';"
        " this is incompatible with sql_mode=only_full_group_by",
    ),
    1142: ("42000", "{} command denied to user 'agent'@'%' for table '{}'"),
    1146: ("42S02", "Table '{}' doesn't exist"),
    1149: ("42000", "You have an error in your SQL syntax"),
    1153: ("08S01", "Got a packet bigger than 'max_allowed_packet' bytes"),
    1166: ("42000", "Incorrect column name '{}'"),
    1170: ("42000", "BLOB/TEXT column '{}' used in key specification without a key length"),
    1172: ("42000", "Result consisted of more than one row"),
    1193: ("HY000", "Unknown system variable '{}'"),
    1221: ("HY000", "Incorrect usage of {} and {}"),
    1222: ("21000", "The used SELECT statements have a different number of columns"),
    1227: ("42000", "Access denied; you need (at least one of) the {} privilege(s) for this operation"),
    1235: ("42000", "This version of MySQL doesn't yet support '{}'"),
    1241: ("21000", "Operand should contain {} column(s)"),
    1242: ("21000", "Subquery returns more than 1 row"),
    1248: ("42000", "Every derived table must have its own alias"),
    1264: ("22003", "Out of range value for column '{}' at row {}"),
    1265: ("01000", "Data truncated for column '{}' at row {}"),
    1273: ("HY000", "Unknown collation: '{}'"),
    1288: ("HY000", "The target table {} of the {} is not updatable"),
    1290: (
        "HY000",
        "The MySQL server is running with the --secure-file-priv option so it cannot execute this"
        " statement",
    ),
    1292: ("22007", "Truncated incorrect {} value: '{}'"),
    1305: ("42000", "{} {} does not exist"),
    1353: (
        "HY000",
        "In definition of view, derived table or common table expression, SELECT list and"
        " column names list have different column counts",
    ),
    1364: ("HY000", "Field '{}' doesn't have a default value"),
    1365: ("22012", "Division by 0"),
    1366: ("HY000", "Incorrect {} value: '{}' for column '{}' at row {}"),
    1406: ("22001", "Data too long for column '{}' at row {}"),
    1436: ("HY000", "Thread stack overrun: the statement is nested too deeply"),
    1191: ("HY000", "Can't find FULLTEXT index matching the column list"),
    1253: ("42000", "COLLATION '{}' is not valid for CHARACTER SET 'utf8mb4'"),
    1582: ("42000", "Incorrect parameter count in the call to native function '{}'"),
    1584: ("42000", "Incorrect parameters in the call to stored function '{}'"),
    1630: (
        "42000",
        "FUNCTION {} does not exist. Check the 'Function Name Parsing and Resolution' section in the"
        " Reference Manual",
    ),
    1690: ("22003", "{} value is out of range in '{}'"),
    3024: (
        "HY000",
        "Query execution was interrupted, maximum statement execution time exceeded",
    ),
    3065: (
        "HY000",
        "Expression #{} of ORDER BY clause is not in SELECT list, references column '{}' which is not"
        " in SELECT list; this is incompatible with DISTINCT",
    ),
    3141: (
        "22032",
        'Invalid JSON text in argument {} to function {}: "Invalid value." at position {}.',
    ),
    3143: ("42000", "Invalid JSON path expression. The error is around character position {}."),
    3146: (
        "22032",
        "Invalid data type for JSON data in argument {} to function {}; a JSON string or JSON"
        " type is required.",
    ),
    3149: (
        "42000",
        "In this situation, path expressions may not contain the * and ** tokens or an array range.",
    ),
    3153: ("42000", "The path expression '$' is not allowed in this context."),
    3154: ("42000", "The oneOrAll argument to {} may take these values: 'one' or 'all'."),
    3157: ("22032", "The JSON document exceeds the maximum depth."),
    3158: ("22032", "JSON documents may not contain NULL member names."),
    3577: (
        "HY000",
        "In recursive query block of Recursive Common Table Expression '{}', the recursive table must"
        " be referenced only once, and not in any subquery",
    ),
    3579: ("HY000", "Window name '{}' is not defined."),
    3580: ("HY000", "There is a circularity in the window dependency graph."),
    3593: ("HY000", "You cannot use the window function '{}' in this context.'"),
    3602: ("HY000", "Argument #{} of GROUPING function is not in GROUP BY"),
    3636: (
        "HY000",
        "Recursive query aborted after 1001 iterations. Try increasing @@cte_max_recursion_depth to a"
        " larger value.",
    ),
    3699: ("HY000", "Timeout exceeded in regular expression match."),
    3730: ("HY000", "Cannot drop table '{}' referenced by a foreign key constraint"),
}


class SqlError(Exception):
    """The server refuses a statement. `str` is what a client prints: `1054 (42S22): Unknown …`."""

    def __init__(self, number: int, *names: object, state: str = "", text: str = "") -> None:
        known_state, known_text = ERRORS.get(number, ("HY000", ""))
        self.number = number
        self.state = state or known_state
        self.text = text or known_text.format(*names)
        super().__init__(f"{number} ({self.state}): {self.text}")


def syntax_error(sql: str, start: int) -> SqlError:
    """MySQL's 1064: quotes the statement from the offending token on, at most 80 characters."""
    return SqlError(1064, sql[start : start + 80], sql.count("\n", 0, start) + 1)
