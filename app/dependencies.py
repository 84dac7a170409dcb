"""What endpoints ask for: sessions of the right kind, and the parts of the API."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from app.context import ApiContext
from app.database import causality
from app.database.sessions import ReadSession, WriteSession, position_after
from app.tasks.service import TaskService


async def api_context(request: Request) -> ApiContext:
    """Return the parts of this process."""
    context = request.app.state.context
    assert isinstance(context, ApiContext)  # noqa: S101 - set by create_app
    return context


Context = Annotated[ApiContext, Depends(api_context)]


def client_position(request: Request, context: Context) -> str | None:
    """Return what the client has seen already, as its token says."""
    token = request.headers.get(causality.HEADER) or request.cookies.get(causality.COOKIE)
    return context.tokens.read(token)


def read_session(request: Request, context: Context) -> Iterator[ReadSession]:
    """Open a session on a replica that has the client's last write."""
    with context.database.read(client_position(request, context)) as session:
        request.state.database_role = session.role
        yield session


def write_session(request: Request, context: Context) -> Iterator[WriteSession]:
    """Open a transaction on the primary; it commits before the client hears of it."""
    with context.database.write() as session:
        yield session
        if session.in_transaction():
            request.state.database_role = session.role
            session.commit()
            request.state.causality_position = position_after(session)


async def task_service(context: Context) -> TaskService:
    """Return the service of tasks."""
    return context.tasks


Reads = Annotated[ReadSession, Depends(read_session, scope="function")]
Writes = Annotated[WriteSession, Depends(write_session, scope="function")]
Tasks = Annotated[TaskService, Depends(task_service)]
