"""Users: created once per e-mail address, found on replica or primary."""

from collections.abc import Collection
from http import HTTPStatus

from sqlalchemy.exc import IntegrityError

from app.database.errors import is_duplicate_key
from app.database.sessions import ReadSession, WriteSession
from app.models import User
from app.problems import ProblemError
from app.users.repository import UserRepository
from app.users.schemas import NewUser

MOST_NAMED = 10


def create_user(session: WriteSession, new: NewUser) -> User:
    """Add a user.

    Raises:
        ProblemError: the e-mail address is taken.
    """
    user = User(name=new.name, email=new.email)
    try:
        UserRepository(session).add(user)
    except IntegrityError as error:
        if not is_duplicate_key(error):
            raise
        raise ProblemError(
            HTTPStatus.CONFLICT, f"There is a user with the address {new.email} already."
        ) from error
    return user


def find_user(reads: ReadSession, writes: WriteSession, user_id: int) -> User:
    """Return a user; a replica that does not know it (yet) is not believed.

    Raises:
        ProblemError: there is none.
    """
    user = UserRepository(reads).get(user_id) or UserRepository(writes).get(user_id)
    if user is None:
        raise no_such_users([user_id])
    return user


def require_users(session: WriteSession, user_ids: Collection[int]) -> None:
    """Make sure that there are all of these users.

    Raises:
        ProblemError: some do not exist.
    """
    if user_ids and (unknown := set(user_ids) - UserRepository(session).known(user_ids)):
        raise no_such_users(unknown)


def no_such_users(user_ids: Collection[int]) -> ProblemError:
    """Return the answer to who names users that do not exist."""
    named = ", ".join(map(str, sorted(user_ids)[:MOST_NAMED]))
    if len(user_ids) == 1:
        return ProblemError(HTTPStatus.NOT_FOUND, f"There is no user {named}.")
    more = ", …" if len(user_ids) > MOST_NAMED else ""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There are no users {named}{more}.")
