#!/bin/sh
# Makes a member's data directory once. Whatever happens, the passwords do not stay in the file that brought them.
set -eu
umask 077
accounts=/run/conveyor-init/accounts.sql
home=/var/lib/mysql
trap 'rm -f "$accounts"' EXIT

if [ -d "$home/data" ]; then
    echo "the data directory is there already"
    exit 0
fi
# Under another name until it is complete, so that a killed start leaves nothing that looks complete.
rm -rf "$home/new"
mysqld --defaults-file=/etc/conveyor/my.cnf --initialize-insecure --skip-log-bin \
    "--datadir=$home/new" "--init-file=$accounts"
mv "$home/new" "$home/data"
sync
