"""A worker runs a task, and API, workers, queue and database see each other."""

from front import ask, check, finished

accepted = ask("POST", "/api/worker/test")
check(accepted.status == 202, f"the task is accepted (status {accepted.status})")
task = finished(accepted.json()["task_id"])
check(task["status"] == "succeeded", f"worker {task.get('worker')} answered: {task['status']}")
state = ask("GET", "/api/worker/status").json()
print("problems:", state["problems"])
alive = [worker["name"] for worker in state["workers"] if worker["alive"]]
check(alive, f"workers are alive: {alive}")
check(state["redis"]["up"], "Redis answers")
roles = [member["role"] for member in state["mysql"]["members"] if member["state"] == "ONLINE"]
check(roles.count("PRIMARY") == 1, f"MySQL has one primary among {len(roles)} members in the group")
