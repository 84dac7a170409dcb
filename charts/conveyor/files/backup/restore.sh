#!/bin/sh
# Loads a dump into the primary, which replicates it. Stop API, workers and relays before: the tables are made anew.
set -eu
file="/backup/$RESTORE_FROM"
[ -f "$file" ] || {
    echo "there is no $RESTORE_FROM; there are:" >&2
    ls /backup >&2
    exit 1
}
gzip --test "$file"
gzip --decompress --stdout "$file" |
    mysql --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" --connect-timeout=10
echo "loaded $RESTORE_FROM"
