#!/bin/sh
# Loads a dump into the primary, which replicates it, once nobody writes any more: the tables are made anew.
set -eu
file="/backup/$RESTORE_FROM"
[ -f "$file" ] || {
    echo "there is no $RESTORE_FROM; there are:" >&2
    ls /backup >&2
    exit 1
}
gzip --test "$file"

# An account sees its own connections, so the application's sees all of API, workers and relays, and this one.
connected() {
    MYSQL_PWD="$DB_PASSWORD" mysql --host="$DB_HOST" --port="$DB_PORT" --user="$APPLICATION_USER" \
        --connect-timeout=10 --skip-column-names --execute="SHOW PROCESSLIST" | wc -l
}
tries=100
quiet=0
while [ "$quiet" -lt 3 ]; do
    if [ "$(connected)" -eq 1 ]; then quiet=$((quiet + 1)); else quiet=0; fi
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
        echo "$APPLICATION_USER is still connected: stop what writes, then upgrade with the same values again" >&2
        exit 1
    fi
    sleep 2
done

gzip --decompress --stdout "$file" |
    mysql --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" --connect-timeout=10
echo "loaded $RESTORE_FROM"
