#!/bin/sh
# Goes the way that the plan describes, in a server of its own: loads a dump, replays the archive up to the second, and
# writes what is there then as a dump like any other. The database in use is not touched.
set -eu
umask 077
# shellcheck source=/dev/null
. /work/plan
cd /backup
if [ -f "$RESULT" ] && sha256sum --check --status "$RESULT.sha256"; then
    echo "wrote $RESULT"
    exit 0
fi
sha256sum --check --status "$DUMP.sha256" || {
    echo "$DUMP does not have the checksum of $DUMP.sha256, so it is not what the backup wrote; move it away" >&2
    exit 1
}

data=/work/data
export MYSQL_UNIX_PORT=/work/mysqld.sock
# As in the group, or what is replayed could mean something else. Only the application's database: accounts are not in
# a dump. One worker, so that what is before the second in the log is all there and nothing of what follows.
rm -rf "$data"
mysqld --no-defaults --datadir="$data" --log-error=/work/mysqld.err --initialize-insecure
mysqld --no-defaults --datadir="$data" --log-error=/work/mysqld.err --socket="$MYSQL_UNIX_PORT" \
    --skip-networking --mysqlx=OFF --secure-file-priv=NULL --server-id=1 --gtid-mode=ON --enforce-gtid-consistency=ON \
    --sql-generate-invisible-primary-key=ON --skip-log-bin --innodb-flush-log-at-trx-commit=0 \
    --skip-innodb-doublewrite --skip-replica-start --relay-log="$data/relay" --relay-log-index="$data/relay.index" \
    --replica-parallel-workers=1 --replicate-wild-do-table="$DB_NAME.%" &
server=$!
trap 'kill "$server" && wait' EXIT

client() {
    mysql --user=root --connect-timeout=10 --skip-column-names "$@"
}
tries=120
until client --execute="DO 0" 2>/dev/null; do
    tries=$((tries - 1))
    kill -0 "$server" && [ "$tries" -gt 0 ] || {
        echo "the server for the replay does not start:" >&2
        tail -n 20 /work/mysqld.err >&2
        exit 1
    }
    sleep 1
done

echo "loading $DUMP"
gzip --decompress --stdout "$DUMP" | client
client --execute="SET GLOBAL gtid_purged = '$DUMP_POSITION'"

number=0
for file in $FILES; do
    number=$((number + 1))
    name="$(printf '%s/relay.%06d' "$data" "$number")"
    cp "$file" "$name"
    echo "$name" >>"$data/relay.index"
done
stop="${STOP_BEFORE:+UNTIL SQL_BEFORE_GTIDS = \"$STOP_BEFORE\"}"
if [ "$number" -gt 0 ]; then
    echo "replaying $number files of the archive"
    client --execute="
        CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'archive', RELAY_LOG_FILE = 'relay.000001', RELAY_LOG_POS = 4;
        START REPLICA SQL_THREAD $stop"
fi
state() {
    client --execute="
        SELECT CASE
            WHEN CONCAT(GTID_SUBTRACT(@@GLOBAL.gtid_executed, '$POSITION'),
                        GTID_SUBTRACT('$POSITION', @@GLOBAL.gtid_executed)) = '' THEN 'there'
            WHEN (SELECT SERVICE_STATE FROM performance_schema.replication_applier_status) = 'ON' THEN 'replaying'
            ELSE 'stopped' END"
}
# as long as the log is; the Job has the deadline
while now="$(state)" && [ "$now" = replaying ]; do
    sleep 1
done
[ "$now" = there ] || {
    echo "the replay stopped before it was there:" >&2
    client --execute="
        SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker
        UNION SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_coordinator" >&2
    exit 1
}
[ "$number" -eq 0 ] || client --execute="STOP REPLICA"

export DB_HOST=localhost DB_PORT=0 DB_USER=root MYSQL_PWD="" GTIDS=OFF RESULT
sh /etc/conveyor/dump.sh
echo "wrote $RESULT"
