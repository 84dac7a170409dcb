#!/bin/sh
# Before this member stops: its agent makes another one the primary and says so. Bounded, for the agent may be dead.
rm -f /run/conveyor/released
touch /run/conveyor/stopping
tries=40
while [ "$tries" -gt 0 ] && [ ! -e /run/conveyor/released ]; do
    tries=$((tries - 1))
    sleep 0.5
done
