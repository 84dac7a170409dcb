#!/bin/sh
# Brings from the bucket what is not on the volume: one dump, or all that leads to a second.
set -eu
from="s3:${BUCKET%/}/"
fetch() {
    rclone copy "$@" --ignore-existing --s3-no-check-bucket --contimeout 10s --timeout 5m --retries 3 "$from" /backup
}
if [ -z "${RESTORE_FROM:-}" ]; then
    fetch --max-age "${RETENTION_DAYS}d" --use-server-modtime
elif [ ! -f "/backup/$RESTORE_FROM" ]; then
    fetch --include "/$RESTORE_FROM" --include "/$RESTORE_FROM.sha256"
fi
