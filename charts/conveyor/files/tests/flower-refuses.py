"""Flower shows nothing without its password, and something with it."""

import base64
import os

from front import ask, check

base = os.environ["FLOWER_URL"]
anonymous = ask("GET", "/flower/", base=base)
check(anonymous.status == 401, f"without a password it refuses (status {anonymous.status})")
wrong = base64.b64encode(b"conveyor:wrong").decode()
guess = ask("GET", "/flower/", headers={"Authorization": f"Basic {wrong}"}, base=base)
check(guess.status == 401, f"with a wrong one it refuses (status {guess.status})")
right = base64.b64encode(os.environ["FLOWER_BASIC_AUTH"].encode()).decode()
known = ask("GET", "/flower/", headers={"Authorization": f"Basic {right}"}, base=base)
check(known.status == 200, f"with the right one it opens (status {known.status})")
