"""Three users to try the dashboard with."""

from sqlalchemy import Connection, func, insert, select

from app.models import User

DEMO_USERS = (
    {"name": "Ada Lovelace", "email": "ada@example.com"},
    {"name": "Grace Hopper", "email": "grace@example.com"},
    {"name": "Katherine Johnson", "email": "katherine@example.com"},
)


def add_demo_users(connection: Connection) -> bool:
    """Add the users if there is none yet; tells whether it did."""
    if connection.scalar(select(func.count()).select_from(User)):
        return False
    connection.execute(insert(User), DEMO_USERS)
    return True
