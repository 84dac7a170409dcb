"""A worker runs a task, reaches database and queue, and the system calls itself healthy."""

from front import ask, check, finished

accepted = ask("POST", "/api/worker/test")
check(accepted.status == 202, f"the task is accepted (status {accepted.status})")
task = finished(accepted.json()["task_id"])
check(task["status"] == "succeeded", f"worker {task.get('worker')} answered: {task['status']}")
status = ask("GET", "/api/worker/status").json()
check(status["workers"], f"{len(list(status['workers']))} workers are known")  # type: ignore[call-overload] # a list
check(not status["degraded"], f"nothing is degraded: {status['degraded']}")
