#!/usr/bin/env bash
# Makes the data directory once, then becomes mysqld: start.sh [mysqld options].
# Does what mysql_agent/initialize.py does elsewhere, for there is no Python in this image.
set -euo pipefail
umask 077

here="$(cd "$(dirname "$0")" && pwd)"
home="${MYSQL_HOME_DIRECTORY:-/var/lib/mysql}"

literal() {
    local text="${1//\\/\\\\}"
    printf "'%s'" "${text//\'/\'\'}"
}

accounts() {
    local sql name
    sql="$(<"$here/accounts.sql")"
    for name in MYSQL_AGENT_USER MYSQL_AGENT_PASSWORD MYSQL_AGENT_RECOVERY_USER MYSQL_AGENT_RECOVERY_PASSWORD \
        DB_ADMIN_USER DB_ADMIN_PASSWORD; do
        [[ -n "${!name:-}" ]] || {
            echo "$name is not set; compose.yaml passes it on from .env" >&2
            return 1
        }
        sql="${sql//"\${$name}"/"$(literal "${!name}")"}"
    done
    # In GRANT an underscore stands for any character unless it is escaped.
    printf '%s\n' "${sql//"\${DB_NAME_PATTERN}"/"\`${DB_NAME//_/\\_}\`"}"
}

if [[ ! -d "$home/data" ]]; then
    # Under another name until it is complete, so that a killed start leaves nothing that looks complete.
    rm -rf "$home/new"
    accounts >"$home/accounts.sql"
    mysqld "--defaults-file=$here/my.cnf" --initialize-insecure --skip-log-bin \
        "--datadir=$home/new" "--init-file=$home/accounts.sql"
    rm "$home/accounts.sql"
    mv "$home/new" "$home/data"
    sync
fi

exec mysqld "--defaults-file=$here/my.cnf" "$@"
