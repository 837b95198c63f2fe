"""The tables of the rooms' file."""

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS room (
    room INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, teacher BLOB NOT NULL UNIQUE,
    touched REAL NOT NULL, seconds INTEGER NOT NULL, solo INTEGER NOT NULL, frozen INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS game (
    room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE, game INTEGER NOT NULL, scenario TEXT NOT NULL,
    tariff TEXT NOT NULL, households INTEGER NOT NULL, key INTEGER NOT NULL, over INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, game)
);
CREATE TABLE IF NOT EXISTS seat (
    room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE, seat INTEGER NOT NULL, name TEXT NOT NULL,
    token BLOB NOT NULL UNIQUE, removed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (room, seat)
);
CREATE TABLE IF NOT EXISTS plan (
    room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE, game INTEGER NOT NULL, round INTEGER NOT NULL,
    seat INTEGER NOT NULL, letters TEXT NOT NULL, PRIMARY KEY (room, game, round, seat)
);
CREATE TABLE IF NOT EXISTS played (
    room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE, game INTEGER NOT NULL, round INTEGER NOT NULL,
    seats TEXT NOT NULL, PRIMARY KEY (room, game, round)
);
"""
"""A number is never given again (AUTOINCREMENT): a window that shows a closed room must not show another one."""
VERSION: Final = 1
"""Number of the schema, kept in the file (``PRAGMA user_version``)."""
