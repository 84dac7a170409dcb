"""SQL of users."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.models import Base, User

TABLE = Base.metadata.tables[User.__tablename__]
# asked with every acceptance, hence built once
KNOWN = select(TABLE.c.id).where(TABLE.c.id.in_(bindparam("user_ids", expanding=True)))


class UserRepository:
    """Users, in either kind of session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: int) -> User | None:
        """Return a user."""
        return self._session.get(User, user_id)

    def known(self, user_ids: Collection[int]) -> set[int]:
        """Return which of the ids are users'."""
        return set(self._session.scalars(KNOWN, {"user_ids": list(user_ids)}))

    def list(self, after: int, limit: int) -> Sequence[User]:
        """Return users with an id above `after`, in their order of arrival."""
        return self._session.scalars(select(User).where(User.id > after).order_by(User.id).limit(limit)).all()

    def add(self, user: User) -> None:
        """Insert the row now, so that a taken e-mail address shows here."""
        self._session.add(user)
        self._session.flush()
        self._session.refresh(user)
