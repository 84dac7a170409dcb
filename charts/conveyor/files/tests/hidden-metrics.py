"""What is for Prometheus does not reach those who use the API."""

from front import ask, check

for path in ("/metrics", "/metrics/", "//metrics", "/flower/metrics"):
    answer = ask("GET", path)
    check(answer.status in {403, 404}, f"{path} is not published (status {answer.status})")
    check(b"# HELP" not in answer.body, f"{path} shows no metric")
check(ask("GET", "/docs").status == 200, "the description of the API is published")
