# One image, several commands: api, worker, relay, flower, migrate, wait-for-migrations, credentials, rotate-passwords,
# mysql-agent, mysql-accounts, mysql-archive and mysql-archive-plan.
FROM python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/runtime.txt /tmp/
RUN /opt/venv/bin/pip install --require-hashes --only-binary=:all: -r /tmp/runtime.txt
# each command becomes its module's Python: no shell stays between it and the signals
RUN for command in api=app worker=worker relay=worker.relay flower=worker.flower migrate=app.migrations \
        wait-for-migrations=app.migrations.wait credentials=app.credentials \
        rotate-passwords=app.credentials.rotation mysql-agent=mysql_agent \
        mysql-accounts=mysql_agent.accounts mysql-archive=mysql_archive mysql-archive-plan=mysql_archive.plan; do \
        file=/opt/venv/bin/${command%%=*} \
        && printf '#!/bin/sh\nexec python -m %s "$@"\n' "${command#*=}" >"$file" \
        && chmod 0755 "$file" || exit 1; \
    done
WORKDIR /opt/conveyor
COPY app app
COPY worker worker
COPY mysql_agent mysql_agent
COPY mysql_archive mysql_archive
COPY kubernetes_api kubernetes_api
COPY certificates certificates
COPY structured_logging structured_logging
# the file system is read-only later, so the byte code is written now
RUN python -m compileall -q .

FROM python:3.13-slim

# few arenas: with glibc's own number, an API process of forty threads keeps 8 MB more after load
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2
# /var/lib/conveyor gives its owner to the volume that is mounted there
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin conveyor \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/conveyor
COPY --from=build /opt/venv /opt/venv
# root, unless a developer's tool is to copy files over these in a running container
ARG CODE_OWNER=0
COPY --from=build --chown=${CODE_OWNER}:${CODE_OWNER} /opt/conveyor /opt/conveyor
# Task modules copied here by an image `FROM conveyor` are found by TASK_MODULES.
WORKDIR /opt/conveyor
USER 10001:10001
CMD ["api"]
