"""The README's example, added as its reader would: TASK_MODULES and PYTHONPATH, nothing else."""

import httpx2 as httpx

from tests.stack.api_client import end_of, new_user


def test_the_example_is_offered_with_the_schema_of_its_payload(api: httpx.Client) -> None:
    kinds = {kind["name"]: kind for kind in api.get("/api/tasks/kinds").json()}
    assert kinds["greet_user"]["summary"] == "Greet a user by name."
    assert set(kinds["greet_user"]["payload_schema"]["properties"]) == {"user_id", "words"}


def test_the_example_runs_as_every_task_does(api: httpx.Client) -> None:
    user_id = new_user(api)
    accepted = api.post("/api/tasks", json={"name": "greet_user", "payload": {"user_id": user_id}})
    assert accepted.status_code == 202
    task = end_of(api, accepted.headers["Location"])
    assert (task["status"], task["max_attempts"]) == ("succeeded", 2)
    assert task["result"] == {"text": "Hello, Ada!", "worker": task["worker"]}


def test_the_example_fails_at_once_where_trying_again_cannot_help(api: httpx.Client) -> None:
    accepted = api.post("/api/tasks", json={"name": "greet_user", "payload": {"user_id": 999_999_999}})
    task = end_of(api, accepted.headers["Location"])
    assert (task["status"], task["attempts"]) == ("failed", 1)
    assert task["error"] == "there is no user 999999999"


def test_a_payload_that_does_not_fit_the_example_is_not_accepted(api: httpx.Client) -> None:
    refused = api.post("/api/tasks", json={"name": "greet_user", "payload": {"user_id": 1, "words": ""}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"] == ["body", "payload", "words"]
