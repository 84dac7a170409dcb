#!/bin/sh
# Draws the passwords of compose.yaml into .env beside it, once: they are in the data from the first start on.
set -eu
umask 077
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo ".env is there already and stays as it is; to begin anew: docker compose down --volumes && rm .env" >&2
    exit 1
fi
for name in DB_PASSWORD DB_ADMIN_PASSWORD MYSQL_AGENT_PASSWORD MYSQL_AGENT_RECOVERY_PASSWORD \
    REDIS_PASSWORD FLOWER_PASSWORD SECRET_KEY; do
    # 30 hexadecimal digits: MySQL takes at most 32 characters for the recovery account
    echo "$name=$(od -An -N15 -tx1 /dev/urandom | tr -d ' \n')"
done >.env
echo "wrote .env; now: docker compose up -d"
