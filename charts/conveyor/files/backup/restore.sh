#!/bin/sh
# Loads a dump into the primary, which replicates it, once nobody writes any more: the tables are made anew. Then reads
# everything back and compares it with the dump.
set -eu
cd /backup
[ -f "$RESTORE_FROM" ] || {
    echo "there is no $RESTORE_FROM; there are:" >&2
    ls /backup >&2
    exit 1
}
sha256sum --check --status "$RESTORE_FROM.sha256" || {
    echo "$RESTORE_FROM does not have the checksum of $RESTORE_FROM.sha256, so it is not what the backup wrote;" \
        "nothing is loaded. Take another one of these:" >&2
    ls /backup >&2
    exit 1
}
gzip --test "$RESTORE_FROM"

client() {
    mysql --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" --connect-timeout=10 "$@"
}
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

gzip --decompress --stdout "$RESTORE_FROM" | client

loaded() {
    mysqldump --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" \
        --single-transaction --quick --skip-triggers --no-tablespaces --set-gtid-purged=OFF \
        --loose-skip-masking-policies --databases "$DB_NAME" || touch /work/failed
}
# One row reads like another only if it is equal, and each table comes in the order of its key.
checksum_of_rows() {
    grep --text '^INSERT INTO ' | sha256sum
}
rm -f /work/failed
[ "$(gzip --decompress --stdout "$RESTORE_FROM" | checksum_of_rows)" = "$(loaded | checksum_of_rows)" ] &&
    [ ! -e /work/failed ] || {
    echo "$RESTORE_FROM was loaded, but what the primary holds now is not what the dump holds: did somebody write" \
        "meanwhile? Leave everything stopped; delete this Job and upgrade again with the same values" >&2
    exit 1
}

tables="SELECT table_name FROM information_schema.tables WHERE table_schema = '$DB_NAME' ORDER BY table_name"
for table in $(client --skip-column-names --execute="$tables"); do
    rows="$(client --skip-column-names --database="$DB_NAME" --execute="SELECT COUNT(*) FROM \`$table\`")"
    echo "$table: $rows rows, as in the dump"
done
echo "loaded $RESTORE_FROM"
