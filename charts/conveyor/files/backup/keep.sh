#!/bin/sh
# Once a dump is where it belongs: notes it in the ledger, where the relays read its age, and removes the old ones.
set -eu
cd /backup
read -r name </work/name
sha256sum --check --status "$name.sha256" || {
    echo "$name is not what was written; is the volume full or failing?" >&2
    exit 1
}
bytes="$(wc -c <"$name")"
stamp="${name#conveyor-}"

note() {
    mysql --host="$PRIMARY_HOST" --port="$PRIMARY_PORT" --user="$DB_USER" --connect-timeout=10 \
        --database="$DB_NAME" --execute="
            REPLACE INTO backups VALUES
                ('$name', STR_TO_DATE('${stamp%%Z*}', '%Y%m%dT%H%i%s'), $bytes);
            DELETE FROM backups WHERE taken_at < UTC_TIMESTAMP() - INTERVAL $RETENTION_DAYS DAY"
}
tries=30
until note; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
        echo "$name is there, but no primary takes a note of it; no old one is removed" >&2
        exit 1
    fi
    sleep 2
done
echo "wrote $name, $bytes bytes"

# by the day in the name: the image has no find
oldest="$(date -u -d "@$(($(date +%s) - RETENTION_DAYS * 86400))" +%Y%m%d)"
for file in conveyor-*.sql.gz; do
    day="${file#conveyor-}"
    day="${day%%T*}"
    if [ "$day" -lt "$oldest" ]; then
        rm -f "$file" "$file.sha256"
        echo "removed $file"
    fi
done
