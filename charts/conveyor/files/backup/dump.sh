#!/bin/sh
# Writes one compressed dump into /backup, with its checksum beside it, and checks that it is whole.
set -eu
umask 077
cd /backup
name="${RESULT:-conveyor-$(date -u +%Y%m%dT%H%M%SZ).sql.gz}"
# what a run that was killed has left
if [ -z "${RESULT:-}" ]; then
    rm -f ./conveyor-*Z.sql.gz.tmp
    for sum in conveyor-*Z.sql.gz.sha256; do
        [ -e "${sum%.sha256}" ] || rm -f "$sum"
    done
fi

# OFF takes no lock. COMMENTED, for going back to a second, stops the replica's commits for the moment in which the
# dump begins, and tells exactly which transactions are in it. Policies are not the application's to read; loose,
# because older programs do not know them.
# It also wants to be loaded past the log, of which a restore's replicas would see nothing: those lines go.
rm -f /work/failed
{
    mysqldump --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" \
        --single-transaction --quick --skip-triggers --no-tablespaces --set-gtid-purged="${GTIDS:-OFF}" \
        --loose-skip-masking-policies --databases "$DB_NAME" || touch /work/failed
} | grep --text --invert-match '^SET @@SESSION.SQL_LOG_BIN' | gzip >"$name.tmp"
[ ! -e /work/failed ] || {
    echo "mysqldump failed; the dump is not kept" >&2
    exit 1
}
# read back from the disk, as a restore would
case "$(gzip --decompress --stdout "$name.tmp" | tail -n 1)" in
    "-- Dump completed"*) ;;
    *)
        echo "the dump ends in the middle; it is not kept" >&2
        exit 1
        ;;
esac
sum="$(sha256sum <"$name.tmp")"
echo "${sum%% *}  $name" >"$name.sha256"
mv "$name.tmp" "$name"
sync
echo "$name" >/work/name
