# One image for every part of a cluster; the first argument is the role: scheduler, worker, notebook, or a program
# such as `apus`. It is built for x86-64 and arm64 alike; the kernels for newer CPUs are chosen when they run.
# `--target notebook` is the same with a compiler, for notebooks in Swift.
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

# What both builds start from; they are independent, so they run side by side.
FROM ${SWIFT_IMAGE} AS sources
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    'libopenblas-dev=0.3.21+ds-*' 'libsqlite3-dev=3.40.1-*' 'libssl-dev=3.0.*' 'pkg-config=1.8.1-*' \
    'zlib1g-dev=1:1.2.13.*' \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /apus
COPY Package.swift ./
COPY container/swift-packages.json Package.resolved
COPY Benchmarks/Programs Benchmarks/Programs
COPY Datasets Datasets
COPY Sources Sources
COPY Tests Tests

# The program, with Swift's own libraries inside. Packages with programs of their own are built on this stage too.
FROM sources AS build
RUN swift build --configuration release --product apus --static-swift-stdlib -Xlinker -s \
    --only-use-versions-from-resolved-file
COPY container/build-package /usr/local/bin/
WORKDIR /apus/Packages/package

# Dask, the dashboard and object stores: wheels alone, each checked against its hash.
FROM ${PYTHON_IMAGE} AS python
COPY container/trim-python /usr/local/bin/
COPY container/requirements.txt /tmp/
RUN python3 -m venv /opt/python \
  && /opt/python/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    --only-binary :all: --requirement /tmp/requirements.txt \
  && /opt/python/bin/pip uninstall --yes --quiet setuptools pip \
  && trim-python /opt/python

# The process that runs the cells of notebooks; they are compiled against this build, so it has Swift's libraries
# beside it.
FROM sources AS notebook-build
RUN swift build --configuration release --product apus-notebook --scratch-path .notebook -Xlinker -s \
    --only-use-versions-from-resolved-file
COPY container/collect-notebook /usr/local/bin/
RUN collect-notebook /notebook

# JupyterLab, and what draws charts for pages that cannot; the rest is there already.
FROM python AS notebook-python
COPY container/requirements-notebook.txt /tmp/
RUN pip --python /opt/python/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes \
    --only-binary :all: --no-deps --prefix /notebook-python --requirement /tmp/requirements-notebook.txt \
  && trim-python /notebook-python

FROM ${PYTHON_IMAGE} AS image
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    'libcurl4=7.88.1-*' 'libgomp1=12.2.0-*' 'libopenblas0-pthread=0.3.21+ds-*' 'libsqlite3-0=3.40.1-*' 'libssl3=3.0.*' \
    'libstdc++6=12.2.0-*' 'openssl=3.0.*' 'tini=0.19.0-*' 'zlib1g=1:1.2.13.*' \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
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
COPY container/drain.py container/ready.py /opt/apus/
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
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["apus-container", "ready"]
ENTRYPOINT ["tini", "-g", "--", "apus-container"]
CMD ["apus", "--help"]

FROM image AS notebook
USER 0:0
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    'libc6-dev=2.36-*' 'libgcc-12-dev=12.2.0-*' 'libncurses6=6.4-*' 'libsqlite3-dev=3.40.1-*' 'libssl-dev=3.0.*' \
    'libstdc++-12-dev=12.2.0-*' 'libuuid1=2.38.1-*' 'libxml2=2.9.14+dfsg-*' 'zlib1g-dev=1:1.2.13.*' \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=notebook-build /notebook /
COPY --from=notebook-python /notebook-python /opt/python
COPY Examples/notebooks/kernel/apus_kernel /opt/python/lib/python3.11/site-packages/apus_kernel
COPY Examples/notebooks/*.ipynb /usr/share/apus/notebooks/
# JupyterLab asks nobody for news, which clusters have no way out for.
COPY container/page_config.json /opt/python/etc/jupyter/labconfig/
RUN python -m apus_kernel install --build /apus/.notebook/release
# Workers run the program that they have libraries for.
ENV APUS_WORKER_PROGRAM=/usr/local/bin/apus
LABEL org.opencontainers.image.title="Apus notebook" \
  org.opencontainers.image.description="Parallel machine learning for Swift, with JupyterLab and a compiler"
USER 10001:10001
CMD ["notebook"]

# What is built without a target.
FROM image
