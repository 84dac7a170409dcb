#!/usr/bin/env bash
# Tests a running Conveyor end to end, as a client sees it: ./test-worker.sh [URL]
# Needs bash, curl and python3. TASK_DEADLINE_SECONDS (30) is the longest wait for one task.
# For a certificate that curl does not know: CURL_CA_BUNDLE=ca.pem ./test-worker.sh https://…
set -uo pipefail
export LC_NUMERIC=C

readonly DEADLINE_SECONDS="${TASK_DEADLINE_SECONDS:-30}"
BASE="${1:-http://localhost:8090}"
while [[ "$BASE" == */ ]]; do BASE="${BASE%/}"; done
readonly BASE

give_up() {
    echo "$1" >&2
    exit 2
}

[[ "$BASE" == http://* || "$BASE" == https://* ]] ||
    give_up "usage: ./test-worker.sh [URL]     for example ./test-worker.sh http://localhost:8090"
[[ "$DEADLINE_SECONDS" =~ ^[1-9][0-9]*$ ]] ||
    give_up "TASK_DEADLINE_SECONDS is $DEADLINE_SECONDS; give a number of seconds, for example 30"
for tool in curl python3; do
    command -v "$tool" >/dev/null || give_up "$tool is missing; install it, for example: apt-get install $tool"
done

GREEN='' RED='' PLAIN=''
if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'; fi

WORK="$(mktemp -d)" || exit 2
readonly WORK
trap 'rm -rf "$WORK"' EXIT

passed=0 failed=0
STATUS=000 MILLISECONDS=0
USER_ID='' USER_NAME='' KEY='' TASK_ID='' LOCATION='' PRODUCT_TASK='' PRODUCT_ID=''

# verdict STEP SEEN FAULT…: passes with what was seen if there is no fault, else fails with the faults.
verdict() {
    local step="$1" good="$2" fault faults=()
    shift 2
    for fault in "$@"; do [[ -z "$fault" ]] || faults+=("$fault"); done
    if ((${#faults[@]} == 0)); then
        passed=$((passed + 1))
        echo "${GREEN}PASS${PLAIN}  $step${good:+: $good}"
        return 0
    fi
    failed=$((failed + 1))
    echo "${RED}FAIL${PLAIN}  $step"
    printf '      %s\n' "${faults[@]}"
    return 1
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

# field NAME: the first string or number of that name in the last answer.
field() {
    local body
    body="$(<"$WORK/body")"
    [[ "$body" =~ \"$1\":[[:space:]]*\"?([^\",}]*) ]] && echo "${BASH_REMATCH[1]}"
}

# evaluate EXPRESSION: what a Python expression over the last answer, `answer`, gives; nothing if it cannot.
evaluate() {
    python3 -c 'import json, sys; print(eval(sys.argv[2], {"answer": json.load(open(sys.argv[1]))}))' \
        "$WORK/body" "$1" 2>/dev/null
}

# unless STATUS: nothing if that was the answer's status, else what came back instead.
unless() {
    local server redirect
    [[ "$STATUS" != "$1" ]] || return 0
    if [[ "$STATUS" == 000 ]]; then
        head -n 1 "$WORK/curl-error"
        return
    fi
    server="$(header X-Served-By)" redirect="$(header Location)"
    echo "expected $1, got $STATUS from ${server:-a proxy}${redirect:+, Location $redirect}:" \
        "$(head -c 600 "$WORK/body" | tr '\n' ' ')"
}

# accept STEP PATH [curl options]: posts, and expects 202 and where to follow the task.
accept() {
    local step="$1" path="$2" fault
    shift 2
    request POST "$path" "$@"
    TASK_ID="$(field task_id)" LOCATION="$(header Location)" fault="$(unless 202)"
    [[ -n "$fault" || "$LOCATION" == */api/tasks/"${TASK_ID:-?}" ]] ||
        fault="202, but the Location is '$LOCATION' and the task_id '$TASK_ID'"
    verdict "$step" "202 in $MILLISECONDS ms, $LOCATION" "$fault"
}

# follow STEP: polls the accepted task until its end, and expects that it succeeds.
follow() {
    local step="$1" until=$((SECONDS + DEADLINE_SECONDS)) path="/api/tasks/$TASK_ID" status='' last=''
    while ((SECONDS < until)); do
        request GET "$path"
        last="$(unless 200)"
        [[ -n "$last" ]] || status="$(field status)"
        case "$status" in
            succeeded)
                verdict "$step" "$(field worker) ran it in $(field run_seconds) s, $(field queue_wait_seconds) s after it was due"
                return
                ;;
            failed | cancelled)
                verdict "$step" '' "the task has $status: $(evaluate 'answer["error"]')"
                return
                ;;
        esac
        sleep 0.25
    done
    request GET /api/worker/status
    verdict "$step" '' "no end within $DEADLINE_SECONDS s (TASK_DEADLINE_SECONDS): $BASE$path is ${status:-unknown}" \
        "$last" "$(evaluate '"the system says: " + ("; ".join(answer["problems"]) or "all is well")')"
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

check_users() {
    local cure=''
    request GET '/api/users?limit=1'
    case "$STATUS" in
        000) if grep -q certificate "$WORK/curl-error"; then
            cure="name the authority that signed it: CURL_CA_BUNDLE=ca.pem ./test-worker.sh $BASE"
        else
            cure="start it with \`make up\` (or \`docker compose up -d\`), or name another URL: ./test-worker.sh URL"
        fi ;;
        200) ;;
        *) cure="is this Conveyor, and is all of it up? \`make status\` (or \`docker compose ps\`) shows its parts" ;;
    esac
    verdict "the system answers" "$(header X-Served-By) in $MILLISECONDS ms" "$(unless 200)" "$cure" || finish
    USER_ID="$(field id)" USER_NAME="$(evaluate 'answer["items"][0]["name"]')"
    [[ -n "$USER_ID" ]] || cure="there is none: SEED_DEMO_USERS=true python -m app.migrations, or POST $BASE/api/users"
    verdict "there is a user" "$USER_ID, $USER_NAME" "$cure"
}

check_status() {
    local fault
    request GET /api/worker/status
    fault="$(unless 200)"
    [[ -n "$fault" || "$(field status)" == ok ]] || fault="$(evaluate '"; ".join(answer["problems"])')"
    verdict "the system says that it is well" "$(evaluate '"%d workers, %d tasks waiting, %d MySQL members online" % (
        len(answer["workers"]), sum(queue["depth"] for queue in answer["queues"]),
        sum(member["state"] == "ONLINE" for member in answer["mysql"]["members"]))')" "$fault"
}

wrong_product() {
    python3 - "$WORK/body" "$PRODUCT_TASK" "$USER_ID" "$USER_NAME" <<'PYTHON' 2>&1 | tail -n 1
import json, sys
from decimal import Decimal

path, task_id, user_id, user_name = sys.argv[1:]
product = json.load(open(path))
price, categories = Decimal(product["price"]), "Books Clothing Electronics Garden Home Sports Toys".split()
wrong = {
    "name": product["name"] != f"Product for {user_name}",
    "user_id": str(product["user_id"]) != user_id,
    "task_id": product["task_id"] != task_id,
    "price": not 10 <= price <= 1000 or price.as_tuple().exponent != -2,
    "quantity": not 1 <= product["quantity"] <= 100,
    "category": product["category"] not in categories,
    "description": user_name not in product["description"],
}
print("; ".join(f"{name} is {product[name]!r}" for name, is_wrong in wrong.items() if is_wrong))
PYTHON
}

# once STEP PATH: expects the product's task exactly once in a list.
once() {
    local fault count
    request GET "$2"
    fault="$(unless 200)" count="$(grep -o "$PRODUCT_TASK" "$WORK/body" | wc -l | tr -d ' ')"
    [[ -n "$fault" || "$count" == 1 ]] || fault="task $PRODUCT_TASK is there $count times in $BASE$2"
    verdict "$1" '' "$fault"
}

check_product() {
    local fault
    KEY="test-worker-$(python3 -c 'import uuid; print(uuid.uuid4())')"
    accept "a product is accepted" "/api/users/$USER_ID/create-product" --header "Idempotency-Key: $KEY" || return
    PRODUCT_TASK="$TASK_ID"
    if follow "a worker makes the product"; then
        PRODUCT_ID="$(field product_id)"
        request GET "/api/products/$PRODUCT_ID"
        fault="$(unless 200)"
        verdict "the product is right" "price $(field price), quantity $(field quantity), category $(field category)" \
            "${fault:-$(wrong_product)}"
        once "it is among the user's products, once" "/api/products?user_id=$USER_ID&limit=200"
        once "the log of requests has a row of celery-worker, once" "/api/requests?server_id=celery-worker&limit=200"
    fi
    request POST "/api/users/$USER_ID/create-product" --header "Idempotency-Key: $KEY"
    fault="$(unless 202)"
    [[ -n "$fault" || "$(field task_id)" == "$PRODUCT_TASK" ]] || fault="$(field task_id) instead of $PRODUCT_TASK"
    verdict "the same Idempotency-Key gives the same task" '' "$fault"
}

echo "testing $BASE"
check_users
check_status
accept "a test task is accepted" /api/worker/test && follow "a worker runs the test task"
[[ -z "$USER_ID" ]] || check_product
request GET /api/tasks/00000000-0000-7000-8000-000000000000
verdict "a task that was never accepted is unknown" '' "$(unless 404)"
finish
