# A central server on a PostgreSQL that runs elsewhere; docs/running.md says how to start it.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/activity
COPY requirements/container.txt requirements/
RUN /opt/activity/bin/python -m pip install --no-cache-dir --require-hashes \
        -r requirements/container.txt
COPY . .
RUN /opt/activity/bin/python -m hatchling build -t wheel -d dist && \
    /opt/activity/bin/python -m pip install --no-cache-dir --no-deps --no-index dist/*.whl

FROM ${BASE}
COPY --from=build /opt/activity /opt/activity
RUN useradd --uid 10001 --create-home activity
USER 10001
WORKDIR /home/activity
ENV PATH=/opt/activity/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    ACTIVITY_PORT=5055
EXPOSE 5055
# The version is a small answer from the database; with the first request, the jobs begin.
# A server that asks for its access token is healthy, too.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ['ACTIVITY_PORT']), timeout=4); c.request('GET', '/activity/version'); sys.exit(c.getresponse().status not in (200, 401))"]
# exec: gunicorn itself is told to stop.
CMD ["sh", "-c", ": \"${ACTIVITY_DATABASE_URL:?is not set: postgresql://user:password@host/name}\" && exec gunicorn --bind=0.0.0.0:${ACTIVITY_PORT} --workers=2 --threads=24 --graceful-timeout=4 --worker-tmp-dir=/dev/shm --no-control-socket 'dashboard.server:create_app()'"]
