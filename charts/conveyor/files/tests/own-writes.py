"""Whoever wrote something reads it at once, whichever replica answers."""

from front import ask, check, create_user

ROUNDS = 10

answered_by = set()
for _ in range(ROUNDS):
    user_id, token = create_user()
    answer = ask("GET", f"/api/users/{user_id}", headers={"X-Causality-Token": token})
    check(answer.status == 200, f"user {user_id} is there for its writer (status {answer.status})")
    answered_by.add((answer.headers["X-Served-By"], answer.headers["X-Database-Role"]))
print("answered by", sorted(answered_by))
