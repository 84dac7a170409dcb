"""A product by aiomysql, with a connection of the pool of the process."""

import aiomysql
from draft import INSERT_PRODUCT, READ_USER, product
from settings import DATABASE, DATABASE_NAME, tls


def create_pool() -> aiomysql.Pool:
    """Return a context manager of a pool, and the pool when awaited; sizes as they come."""
    return aiomysql.create_pool(**DATABASE, db=DATABASE_NAME, ssl=tls(), connect_timeout=5)


async def create_product(pool: aiomysql.Pool, user_id: int, task_id: str) -> None:
    """Commit one row."""
    async with pool.acquire() as connection:
        async with connection.cursor() as cursor:
            await cursor.execute(READ_USER, (user_id,))
            name, email = await cursor.fetchone()
            await cursor.execute(INSERT_PRODUCT, product(user_id, name, email, task_id))
        await connection.commit()
