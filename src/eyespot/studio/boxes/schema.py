"""The tables of Boxes, in a database of their own: no room opens the projects of another."""

from eyespot.studio.database import Schema

BOXES = Schema(
    """
CREATE TABLE IF NOT EXISTS classes (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    UNIQUE (project, name)
);
CREATE TABLE IF NOT EXISTS photos (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    done INTEGER NOT NULL,
    boxes TEXT NOT NULL,
    UNIQUE (project, sha256)
);
CREATE INDEX IF NOT EXISTS photos_by_content ON photos (sha256);
""",
    {
        "classes": ("id", "project", "name", "position"),
        "photos": ("id", "project", "sha256", "name", "width", "height", "done", "boxes"),
    },
)
"""`width`, `height`: of the upright photo, in pixels. `done`: whether all its objects have boxes.
`boxes`: a JSON list of [class id, xmin, ymin, xmax, ymax, ignored], in the order of drawing."""
