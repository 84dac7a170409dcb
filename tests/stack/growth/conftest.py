"""One server for all that is tried here; the stack is not needed."""

from collections.abc import Iterator

import pytest

from tests.stack.growth.own_mysql import OwnMysql


@pytest.fixture(scope="package")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnMysql]:
    with OwnMysql(tmp_path_factory.mktemp("mysql")) as server:
        yield server
