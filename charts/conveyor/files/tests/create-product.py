"""A product is made for a user, once, however often it is asked for."""

import uuid

from front import ask, check, create_user, finished

user_id, _ = create_user()
path, key = f"/api/users/{user_id}/create-product", {"Idempotency-Key": str(uuid.uuid4())}
first = ask("POST", path, headers=key)
check(first.status == 202, f"the task is accepted (status {first.status})")
task_id = first.json()["task_id"]
task = finished(task_id)
check(task["status"] == "succeeded", f"the task succeeded: {task['status']}, {task.get('error')}")
again = ask("POST", path, headers=key)
check(again.json()["task_id"] == task_id, "the same key gives the same task")
product = ask("GET", f"/api/products/{task['result']['product_id']}")
check(product.status == 200, f"the product can be read (status {product.status})")
