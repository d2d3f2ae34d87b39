# syntax=docker/dockerfile:1
# A release's own tag. Raise it with each release of Python; “docker buildx imagetools inspect” shows its digest, and
# “--build-arg BASE=python:3.14.10-slim-trixie@sha256:…” pins the very image.
ARG BASE=python:3.14.10-slim-trixie

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN python -m venv /opt/onboarding
COPY requirements.lock ./
RUN /opt/onboarding/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY . .
# Editable, so that manifest.yml is found beside the code. Then nothing that builds is left.
RUN /opt/onboarding/bin/pip install --no-deps --no-build-isolation -e . \
    && /opt/onboarding/bin/pip uninstall --yes setuptools pip \
    && /opt/onboarding/bin/python -m compileall -q /opt/onboarding/lib bot handlers storage sandbox

FROM ${BASE}
# /data is for SQLite's file; with PostgreSQL the whole file system may be read-only.
RUN groupadd --gid 10001 onboarding \
    && useradd --uid 10001 --gid onboarding --no-create-home --home-dir /data --shell /usr/sbin/nologin onboarding \
    && install -d -o onboarding -g onboarding -m 700 /data \
    && rm -rf /usr/local/lib/python3.*/site-packages/pip* /usr/local/bin/pip*
COPY --from=build /opt/onboarding /opt/onboarding
COPY --from=build /app /app
ENV PATH=/opt/onboarding/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=3000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["onboarding"]
CMD ["run"]
