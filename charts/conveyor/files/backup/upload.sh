#!/bin/sh
# Copies what is on the volume into the bucket, compares both, and only then removes what is old there.
set -eu
to="s3:${BUCKET%/}/"
finished() {
    rclone "$@" --exclude '*.tmp' --exclude '*.part' --s3-no-check-bucket --contimeout 10s --timeout 5m --retries 3
}
finished copy /backup "$to"
# sizes and checksums, read from the bucket
finished check --one-way /backup "$to" || {
    echo "the bucket does not hold what the volume holds; nothing is removed" >&2
    exit 1
}
finished delete --min-age "${BUCKET_DAYS}d" --use-server-modtime "$to"
echo "copied to $BUCKET"
