# syntax=docker/dockerfile:1
# One image for every part of a cluster; the first argument is the role: scheduler, worker, notebook, or a program
# such as `apus`. It is built for x86-64 and arm64 alike; the kernels for newer CPUs are chosen when they run.
ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# The program, with Swift's own libraries inside. Packages with programs of their own are built on this stage too.
FROM ${SWIFT_IMAGE} AS build
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    'libopenblas-dev=0.3.21+ds-*' 'libsqlite3-dev=3.40.1-*' 'libssl-dev=3.0.*' 'pkg-config=1.8.1-*' \
    'zlib1g-dev=1:1.2.13.*' \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /apus
COPY Package.swift ./
COPY container/swift-packages.json Package.resolved
COPY Benchmarks/Backends Benchmarks/Backends
COPY Datasets Datasets
COPY Sources Sources
COPY Tests Tests
RUN swift build --configuration release --product apus --static-swift-stdlib -Xlinker -s \
    --only-use-versions-from-resolved-file
COPY container/build-package /usr/local/bin/
WORKDIR /apus/Packages/package

# Dask, the dashboard, object stores and JupyterLab: wheels alone, each checked against its hash.
FROM ${PYTHON_IMAGE} AS python
COPY container/requirements.txt /tmp/
RUN python3 -m venv /opt/python \
  && /opt/python/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    --only-binary :all: --requirement /tmp/requirements.txt \
  && /opt/python/bin/pip uninstall --yes --quiet setuptools pip \
  && find /opt/python -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -rf {} +

FROM ${PYTHON_IMAGE} AS image
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    'libcurl4=7.88.1-*' 'libgomp1=12.2.0-*' 'libopenblas0-pthread=0.3.21+ds-*' 'libsqlite3-0=3.40.1-*' 'libssl3=3.0.*' \
    'libstdc++6=12.2.0-*' 'openssl=3.0.*' 'tini=0.19.0-*' 'zlib1g=1:1.2.13.*' \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 apus \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin apus \
  && mkdir /certificates /data /notebooks /studies \
  && chown 10001:10001 /certificates /data /notebooks /studies \
  && chmod 0700 /certificates
COPY --from=python /opt/python /opt/python
COPY --from=build /apus/.build/release/apus /usr/local/bin/
COPY LICENSE /usr/share/apus/
# What bills of materials read the Swift packages from.
COPY container/swift-packages.json /usr/share/apus/Package.resolved
COPY container/apus-container /usr/local/bin/
COPY container/drain.py /opt/apus/
ARG APUS_VERSION=0.1.0
LABEL org.opencontainers.image.title="Apus" \
  org.opencontainers.image.description="Parallel machine learning for Swift: scheduler, worker, notebook, client" \
  org.opencontainers.image.version="${APUS_VERSION}" \
  org.opencontainers.image.licenses="Apache-2.0"
# Nothing is written outside /tmp and the volumes, so the root file system may be read-only.
ENV APUS_PYTHON=/opt/python/bin/python \
  HOME=/tmp \
  PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin \
  PYTHONDONTWRITEBYTECODE=1 \
  PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /studies
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["apus-container", "health"]
ENTRYPOINT ["tini", "-g", "--", "apus-container"]
CMD ["apus", "--help"]
