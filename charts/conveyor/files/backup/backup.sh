#!/bin/sh
# Writes one compressed dump into /backup, checks that it is whole, and only then removes the old ones.
set -eu
umask 077
name="conveyor-$(date -u +%Y%m%dT%H%M%SZ).sql"
rm -f /backup/*.tmp

# Without an option for GTIDs it takes no lock that a long query could make everyone wait for. Policies are not the
# application's to read; loose, because older programs do not know them.
mysqldump --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" \
    --single-transaction --quick --skip-triggers --no-tablespaces --set-gtid-purged=OFF \
    --loose-skip-masking-policies --databases "$DB_NAME" >"/backup/$name.tmp"
case "$(tail -n 1 "/backup/$name.tmp")" in
    "-- Dump completed"*) ;;
    *)
        echo "the dump ends in the middle; it is not kept" >&2
        exit 1
        ;;
esac
gzip "/backup/$name.tmp"
mv "/backup/$name.tmp.gz" "/backup/$name.gz"
sync
echo "wrote $name.gz, $(wc -c <"/backup/$name.gz") bytes"

# by the day in the name: the image has no find
oldest="$(date -u -d "@$(($(date +%s) - RETENTION_DAYS * 86400))" +%Y%m%d)"
for file in /backup/conveyor-*.sql.gz; do
    day="${file##*/conveyor-}"
    day="${day%%T*}"
    if [ "$day" -lt "$oldest" ]; then
        rm "$file"
        echo "removed ${file##*/}"
    fi
done
