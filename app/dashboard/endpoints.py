"""The pages, and the buttons on them: forms that work without JavaScript, fragments where htmx asks."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import FileResponse

from app.cluster.endpoints import TEST_WORKER
from app.dashboard.contents import Overview, SystemState
from app.dashboard.operations import MOST_WATCHED, read_watched
from app.dashboard.operations_answers import OperationsAnswers, Watched, WatchedBefore
from app.dashboard.pages import View
from app.dashboard.static_files import DIRECTORY
from app.dashboard.task_answers import TaskAnswers, row_of
from app.dependencies import Context, Reads, Tasks, Writes
from app.models import User
from app.retry import ReadRetryRoute
from app.same_origin import require_same_origin
from app.tasks.lookup import Found
from app.users.endpoints import CREATE_PRODUCT
from app.users.service import find_user

router = APIRouter(
    include_in_schema=False, route_class=ReadRetryRoute, dependencies=[Depends(require_same_origin)]
)

Shown = Annotated[View, Depends()]
Answers = Annotated[TaskAnswers, Depends()]
Operations = Annotated[OperationsAnswers, Depends()]
# A new one with every rendered form: pressing again after a lost answer gives the same task.
FormKey = Annotated[str, Form(min_length=1, max_length=255)]
ReplayedIds = Annotated[list[UUID], Form(min_length=1, max_length=MOST_WATCHED)]
UserChoice = Annotated[int, Form(ge=1, le=2**63 - 1)]


@router.get("/")
def show_overview(view: Shown, reads: Reads, context: Context) -> Response:
    """Show the whole system."""
    overview = Overview.read(reads)
    state = SystemState.ask(context, overview.seen)
    return view.show("overview.html", state=state, overview=overview, new_key=uuid4)


@router.get("/favicon.ico")
def show_icon() -> FileResponse:
    """Show the icon to browsers that ask for it without being told of one."""
    return FileResponse(DIRECTORY / "favicon.svg", headers={"Cache-Control": "public, max-age=86400"})


@router.post("/ui/test-worker")
def ask_worker(writes: Writes, tasks: Tasks, answers: Answers, key: FormKey) -> Response:
    """Accept a task by which a worker reports how it reaches database and queue."""
    task = tasks.accept(writes, TEST_WORKER, {}, idempotency_key=key, request_id=answers.request_id)
    return answers.accepted(task, form="test-worker")


def chosen_user(user_id: UserChoice, reads: Reads, writes: Writes) -> User:
    """Find the user that was chosen in the form."""
    return find_user(reads, writes, user_id)


@router.post("/ui/create-product")
def create_product(
    user: Annotated[User, Depends(chosen_user, scope="function")],
    writes: Writes,
    tasks: Tasks,
    answers: Answers,
    key: FormKey,
) -> Response:
    """Accept the creation of a product for a user."""
    payload = {"user_id": user.id}
    task = tasks.accept(writes, CREATE_PRODUCT, payload, idempotency_key=key, request_id=answers.request_id)
    return answers.accepted(task, form="create-product")


@router.get("/ui/worker-status")
def show_worker_status(view: Shown, context: Context) -> Response:
    """Show what every worker is doing at this moment."""
    template = "_workers.html" if view.wants_fragment else "workers.html"
    return view.show(template, status=context.cluster.status())


@router.get("/ui/tasks/{task_id}")
def show_task(task_id: UUID, view: Shown, found: Found) -> Response:
    """Show one task; without JavaScript the page reloads itself until the task's end."""
    return view.show("task.html", row=row_of(found.find(str(task_id)), found.read_from))


@router.post("/ui/tasks/{task_id}/cancel")
def cancel_task(task_id: UUID, writes: Writes, tasks: Tasks, answers: Answers) -> Response:
    """Cancel a task for good."""
    return answers.changed(tasks.cancel(writes, str(task_id)))


@router.post("/ui/tasks/{task_id}/replay")
def replay_task(task_id: UUID, writes: Writes, tasks: Tasks, answers: Answers) -> Response:
    """Queue a failed task again."""
    return answers.changed(tasks.replay(writes, str(task_id)))


@router.get("/ui/operations")
def show_operations(operations: Operations, watched: Watched) -> Response:
    """Show what a person on call looks at."""
    return operations.page(watched)


@router.post("/ui/operations/replay")
def replay_tasks(
    task_id: ReplayedIds, writes: Writes, tasks: Tasks, operations: Operations, watched: WatchedBefore = ""
) -> Response:
    """Queue failed tasks again; one that somebody else has replayed meanwhile is only shown."""
    task_ids = [str(one) for one in task_id]
    tasks.replay_failed(writes, task_ids)
    return operations.replayed(writes, [*task_ids, *read_watched(watched)])
