"""Redis asks for its password, writes down what it takes, and throws nothing away."""

import os

import redis
from front import check

address = {"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"]), "socket_timeout": 5}
try:
    redis.Redis(**address).ping()  # type: ignore[arg-type] # one dictionary, three types
    refused = False
except redis.AuthenticationError:
    refused = True
check(refused, "without a password it refuses")
client = redis.Redis(**address, password=os.environ["REDIS_PASSWORD"])  # type: ignore[arg-type] # as above
check(client.ping(), "with the password it answers")
persistence, memory = client.info("persistence"), client.info("memory")
check(persistence["aof_enabled"] == 1, "it writes an append-only file")
check(memory["maxmemory_policy"] == "noeviction", "it evicts nothing")
