#!/usr/bin/env bash
# Tests a running Conveyor end to end, as a client sees it: ./test-worker.sh [URL]
# Needs bash, curl and python3. TASK_DEADLINE_SECONDS (30) is the longest wait for one task.
# For a certificate that curl does not know: CURL_CA_BUNDLE=ca.pem ./test-worker.sh https://…
set -uo pipefail
export LC_NUMERIC=C

readonly URL_GIVEN="${1:-http://localhost:8090}"
readonly DEADLINE_SECONDS="${TASK_DEADLINE_SECONDS:-30}"

BASE="$URL_GIVEN"
while [[ "$BASE" == */ ]]; do BASE="${BASE%/}"; done

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
    GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
    GREEN='' RED='' PLAIN=''
fi

usage() {
    echo "usage: ./test-worker.sh [URL]     for example ./test-worker.sh http://localhost:8090"
}

case "${1:-}" in
    -h | --help) usage && exit 0 ;;
    '' | http://* | https://*) ;;
    *) usage >&2 && exit 2 ;;
esac
[[ "$DEADLINE_SECONDS" =~ ^[1-9][0-9]*$ ]] || {
    echo "TASK_DEADLINE_SECONDS is ${DEADLINE_SECONDS}; give a number of seconds, for example 30" >&2
    exit 2
}
for tool in curl python3; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing; install it, for example: apt-get install $tool" >&2
        exit 2
    }
done

WORK="$(mktemp -d)" || exit 2
trap 'rm -rf "$WORK"' EXIT
readonly WORK

passed=0
failed=0
STATUS=000
MILLISECONDS=0

pass() {
    passed=$((passed + 1))
    echo "${GREEN}PASS${PLAIN}  $1"
}

fail() {
    failed=$((failed + 1))
    echo "${RED}FAIL${PLAIN}  $1"
    shift
    local line
    for line in "$@"; do
        [[ -z "$line" ]] || printf '      %s\n' "$line"
    done
}

# request METHOD PATH [curl options]: sets STATUS and MILLISECONDS; body and headers are in $WORK.
# The cookie jar brings the read-your-writes token back, as a browser does.
request() {
    local method="$1" path="$2" answer
    shift 2
    : >"$WORK/body"
    : >"$WORK/headers"
    answer="$(curl --silent --show-error --connect-timeout 5 --max-time 20 --request "$method" \
        --cookie "$WORK/cookies" --cookie-jar "$WORK/cookies" --header 'Accept: application/json' \
        --dump-header "$WORK/headers" --output "$WORK/body" --write-out '%{http_code} %{time_total}' \
        "$@" -- "$BASE$path" 2>"$WORK/curl-error")"
    STATUS="${answer%% *}"
    printf -v MILLISECONDS '%.0f' "${answer##* }e3"
}

header() {
    grep -i "^$1:" "$WORK/headers" | tail -n 1 | cut -d : -f 2- | tr -d ' \r'
}

# seen: what came back, for a failure's second line.
seen() {
    local server redirect
    server="$(header X-Served-By)"
    redirect="$(header Location)"
    if [[ "$STATUS" == 000 ]]; then
        tail -n 1 "$WORK/curl-error"
    else
        echo "HTTP $STATUS from ${server:-a proxy}${redirect:+, Location $redirect}: $(head -c 600 "$WORK/body" | tr '\n' ' ')"
    fi
}

# read_json EXPRESSION: evaluates a Python expression over the last answer as `answer`; prints what it gives.
# On failure nothing is printed to stdout and the status is 1.
read_json() {
    python3 - "$WORK/body" "$@" <<'PYTHON' 2>/dev/null
import json, sys
from pathlib import Path

answer = json.loads(Path(sys.argv[1]).read_text())
value = eval(sys.argv[2], {"answer": answer, "argument": sys.argv[3:]})
if value is None or value is False:
    sys.exit(1)
print(value)
PYTHON
}

# follow PATH: polls a task until a final state; the last answer stays in $WORK/body.
follow() {
    local path="$1" until=$((SECONDS + DEADLINE_SECONDS))
    FINAL=''
    while true; do
        request GET "$path"
        [[ "$STATUS" == 200 ]] && FINAL="$(read_json 'answer["status"]')"
        case "$FINAL" in succeeded | failed | cancelled) return 0 ;; esac
        ((SECONDS < until)) || return 1
        sleep 0.25
    done
}

# in_base LOCATION: the path below the base URL, whether the Location is absolute or not.
in_base() {
    local location="$1"
    case "$location" in
        "$BASE"/*) echo "${location#"$BASE"}" ;;
        http://* | https://*) echo "/${location#*://*/}" ;;
        *) echo "$location" ;;
    esac
}

why_waiting() {
    request GET /api/worker/status
    [[ "$STATUS" == 200 ]] && read_json '"the system says: " + ("; ".join(answer["problems"]) or "all is well")'
}

# run_task TITLE: follows the task at $LOCATION; true if it succeeded.
run_task() {
    local title="$1" what
    if ! follow "$LOCATION"; then
        fail "$title" "no final state within ${DEADLINE_SECONDS} s at $BASE$LOCATION" "last seen: $(seen)" "$(why_waiting)"
        return 1
    fi
    if [[ "$FINAL" != succeeded ]]; then
        fail "$title" "the task has $FINAL: $(read_json 'answer["error"]' || seen)"
        return 1
    fi
    what="$(read_json '"%s by %s, waited %s s, ran %s s" % (
        answer["status"], answer["worker"], answer["queue_wait_seconds"], answer["run_seconds"])')"
    pass "$title: $what"
}

# accept TITLE PATH [curl options]: posts and expects 202 with a Location; sets LOCATION and TASK_ID.
accept() {
    local title="$1" path="$2"
    shift 2
    LOCATION='' TASK_ID=''
    request POST "$path" "$@"
    if [[ "$STATUS" != 202 ]]; then
        fail "$title" "expected 202; $(seen)"
        return 1
    fi
    LOCATION="$(in_base "$(header Location)")"
    TASK_ID="$(read_json 'answer["task_id"]')"
    if [[ -z "$TASK_ID" || "$LOCATION" != "/api/tasks/$TASK_ID" ]]; then
        fail "$title" "202, but Location is '${LOCATION}' and task_id '${TASK_ID}'; $(seen)"
        return 1
    fi
    pass "$title: 202 in $MILLISECONDS ms, $LOCATION"
}

finish() {
    echo
    if ((failed)); then
        echo "${RED}$failed of $((passed + failed)) steps failed${PLAIN} at $BASE"
        exit 1
    fi
    echo "${GREEN}all $passed steps passed${PLAIN} at $BASE"
    exit 0
}

echo "testing $BASE"

# 1. Is anything there, and is there a user to make a product for?
request GET '/api/users?limit=1'
if [[ "$STATUS" == 000 ]]; then
    fail "the system answers" "$(seen)" \
        "start it with \`make up\` (or \`docker compose up -d\`), or name the right URL: ./test-worker.sh URL"
    finish
fi
if [[ "$STATUS" != 200 ]]; then
    fail "users can be listed" "expected 200; $(seen)" "is $BASE really Conveyor? \`make status\` shows its parts"
    finish
fi
USER_ID="$(read_json 'answer["items"][0]["id"]')"
USER_NAME="$(read_json 'answer["items"][0]["name"]')"
if [[ -n "$USER_ID" ]]; then
    pass "users can be listed: user $USER_ID is $USER_NAME, answered by $(header X-Served-By) in $MILLISECONDS ms"
else
    fail "users can be listed" "there are none; $(seen)" "add some: SEED_DEMO_USERS=true python -m app.migrations, or:" \
        "curl $BASE/api/users -H 'Content-Type: application/json' -d '{\"name\": \"Ada Lovelace\", \"email\": \"ada@example.com\"}'"
fi

# 2. What does the system say of itself?
request GET /api/worker/status
if [[ "$STATUS" != 200 ]]; then
    fail "the worker status is ok" "expected 200; $(seen)"
elif [[ "$(read_json 'answer["status"]')" == ok ]]; then
    what="$(read_json '"%d workers alive, %s waiting, Redis %s ms, %d of %d MySQL members online" % (
        sum(w["alive"] for w in answer["workers"]), sum(q["depth"] for q in answer["queues"]),
        answer["redis"]["round_trip_ms"], sum(m["state"] == "ONLINE" for m in answer["mysql"]["members"]),
        len(answer["mysql"]["members"]))')"
    pass "the worker status is ok: $what"
else
    fail "the worker status is ok" "$(read_json '"; ".join(answer["problems"])' || seen)"
fi

# 3. Does a worker do a task?
accept "the test task is accepted" /api/worker/test && run_task "a worker runs the test task"

# 4. Is a product made for the user, once, and is it right?
PRODUCT_TASK=''
if [[ -n "$USER_ID" ]]; then
    KEY="test-worker-$(python3 -c 'import uuid; print(uuid.uuid4())')"
    if accept "the product is accepted" "/api/users/$USER_ID/create-product" --header "Idempotency-Key: $KEY"; then
        PRODUCT_TASK="$TASK_ID"
        PRODUCT_ID=''
        run_task "a worker makes the product" && PRODUCT_ID="$(read_json 'answer["result"]["product_id"]')"
    fi
fi

if [[ -n "$PRODUCT_TASK" && -n "${PRODUCT_ID:-}" ]]; then
    request GET "/api/products/$PRODUCT_ID"
    wrong="$(python3 - "$WORK/body" "$PRODUCT_TASK" "$USER_ID" "$USER_NAME" <<'PYTHON' 2>&1
import json, sys
from decimal import Decimal
from pathlib import Path

body, task_id, user_id, user_name = sys.argv[1:]
product = json.loads(Path(body).read_text())
categories = {"Books", "Clothing", "Electronics", "Garden", "Home", "Sports", "Toys"}
price = Decimal(str(product["price"]))
rules = {
    f"name {product['name']!r} is not 'Product for {user_name}'": product["name"] == f"Product for {user_name}",
    f"user {product['user_id']} is not {user_id}": str(product["user_id"]) == user_id,
    f"task {product['task_id']} is not {task_id}": product["task_id"] == task_id,
    f"price {price} is not in 10.00 to 1000.00": Decimal("10.00") <= price <= Decimal("1000.00"),
    f"price {price} has not two decimals": price.as_tuple().exponent == -2,
    f"quantity {product['quantity']} is not in 1 to 100": 1 <= product["quantity"] <= 100,
    f"category {product['category']!r} is none of {sorted(categories)}": product["category"] in categories,
    f"description {product['description']!r} does not name the user": user_name in product["description"],
}
print("; ".join(rule for rule, holds in rules.items() if not holds))
PYTHON
)"
    if [[ "$STATUS" == 200 && -z "$wrong" ]]; then
        pass "the product is right: $(read_json '"%s, %s, %s pieces, %s" % (
            answer["name"], answer["price"], answer["quantity"], answer["category"])') (read from a $(header X-Database-Role))"
    else
        fail "the product is right" "$(tail -n 1 <<<"$wrong")" "$(seen)"
    fi

    request GET "/api/products?user_id=$USER_ID&limit=200"
    count="$(read_json 'str(sum(product["task_id"] == argument[0] for product in answer["items"]))' "$PRODUCT_TASK")"
    if [[ "$count" == 1 ]]; then
        pass "the user's products contain it once"
    else
        fail "the user's products contain it once" "found ${count:-no list of products} times; $(seen)"
    fi

    request GET '/api/requests?server_id=celery-worker&limit=200'
    count="$(read_json 'str(sum(row["task_id"] == argument[0] for row in answer["items"]))' "$PRODUCT_TASK")"
    if [[ "$count" == 1 ]]; then
        pass "the log of requests has one row of celery-worker for it"
    else
        fail "the log of requests has one row of celery-worker for it" "found ${count:-no log} times; $(seen)"
    fi
fi

# 5. Does a repeated request give the same task?
if [[ -n "$PRODUCT_TASK" ]]; then
    request POST "/api/users/$USER_ID/create-product" --header "Idempotency-Key: $KEY"
    again="$(read_json 'answer["task_id"]')"
    if [[ "$STATUS" == 202 && "$again" == "$PRODUCT_TASK" ]]; then
        pass "the same Idempotency-Key gives the same task"
    else
        fail "the same Idempotency-Key gives the same task" "expected 202 and $PRODUCT_TASK; $(seen)"
    fi
fi

# 6. Is an id that was never accepted an honest 404?
request GET /api/tasks/00000000-0000-7000-8000-000000000000
if [[ "$STATUS" == 404 ]]; then
    pass "an unknown task is 404"
else
    fail "an unknown task is 404" "$(seen)"
fi

finish
