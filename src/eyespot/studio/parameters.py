"""Parameters that the routes of Teach share: open projects, names and texts within limits."""

from collections.abc import Iterable
from typing import Annotated, cast

from fastapi import Body, Depends, Query, Request
from pydantic import Field, StringConstraints
from starlette.requests import HTTPConnection

from eyespot.data.photos import Skipped
from eyespot.limits import MAX_TEXT_CHARACTERS
from eyespot.studio.open_projects import OpenProject, OpenProjects

FileName = Annotated[str, Query(max_length=300)]
ColumnName = Annotated[str | None, Query(max_length=200)]
Words = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARACTERS)]
"""Whole characters: a str without limits may hold surrogates, which no file or database takes."""
Text = Annotated[Words, Body(embed=True)]
PhotoId = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""SQLite has no larger numbers."""
PhotoIds = Annotated[list[PhotoId], Body(embed=True)]


async def _content(request: Request) -> bytes:
    return await request.body()


Content = Annotated[bytes, Depends(_content)]
"""The body of a request: one file."""


async def _projects(connection: HTTPConnection) -> OpenProjects:
    return cast(OpenProjects, connection.app.state.projects)


Projects = Annotated[OpenProjects, Depends(_projects)]


def _opened(id: str, projects: Projects) -> OpenProject:
    return projects.get(id)


Opened = Annotated[OpenProject, Depends(_opened)]
"""The project `id` of the path."""


def skipped_json(skipped: Iterable[Skipped]) -> list[dict[str, str]]:
    return [{"name": one.path, "reason": one.reason} for one in skipped]
