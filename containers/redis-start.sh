#!/bin/sh
# Starts Redis with its password in a file that only it can read: a command line is seen by the whole machine.
set -eu

umask 077
cat >/tmp/redis.conf <<CONF
requirepass ${REDISCLI_AUTH:?}
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
CONF
exec redis-server /tmp/redis.conf
