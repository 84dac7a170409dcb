#!/bin/sh
# Writes one compressed dump into /backup, with its checksum beside it, and checks that it is whole.
set -eu
umask 077
cd /backup
name="conveyor-$(date -u +%Y%m%dT%H%M%SZ).sql.gz"
# what a run that was killed has left
rm -f ./*.tmp
for sum in *.sha256; do
    [ -e "${sum%.sha256}" ] || rm -f "$sum"
done

# Without an option for GTIDs it takes no lock that a long query could make everyone wait for. Policies are not the
# application's to read; loose, because older programs do not know them.
rm -f /work/failed
{
    mysqldump --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" \
        --single-transaction --quick --skip-triggers --no-tablespaces --set-gtid-purged=OFF \
        --loose-skip-masking-policies --databases "$DB_NAME" || touch /work/failed
} | gzip >"$name.tmp"
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
