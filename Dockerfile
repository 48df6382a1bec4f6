# The targets: full (the default: TensorFlow and OpenVINO), slim (only OpenVINO) and
# gateway (neither: its models run in TensorFlow Serving).
#   docker build -t facenality .
#   docker build -t facenality:slim --target slim .
#   docker build -t facenality:gateway --target gateway .
#   docker build -t facenality:gpu --build-arg LOCK=requirements-gpu.lock .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS system
LABEL org.opencontainers.image.title="facenality" \
      org.opencontainers.image.description="A Keras model in production: a page, /predict, probes, metrics" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/facenality/facenality"
# A numeric uid, so that Kubernetes can verify that it is not root.
RUN groupadd --gid 10001 facenality \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin facenality \
    && install -d -o 10001 -g 10001 /app/uploads /cache
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FACENALITY_HOST=0.0.0.0 \
    FACENALITY_CACHE_DIR=/cache
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-m", "facenality.app.healthcheck"]
CMD ["python", "app.py"]

# The program: a small layer on top of the installed packages, which rarely change.
FROM ${BASE} AS program
WORKDIR /app
COPY frontend frontend
COPY facenality facenality
COPY app.py gunicorn.conf.py ./
RUN python -m compileall -q facenality app.py

FROM ${BASE} AS installed-slim
RUN python -m venv /opt/venv
COPY requirements-slim.lock /tmp/
# Not needed: OpenVINO's plugins for Intel's GPU and NPU, its headers, packages' tests.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements-slim.lock \
    && rm -rf /opt/venv/lib/python3*/site-packages/openvino/include \
        /opt/venv/lib/python3*/site-packages/openvino/libs/cache.json \
        /opt/venv/lib/python3*/site-packages/openvino/libs/libopenvino_intel_[gn]pu_plugin.so \
    && find /opt/venv -type d -name tests -prune -exec rm -rf {} +

FROM system AS slim
COPY --from=installed-slim /opt/venv /opt/venv
COPY --from=program /app /app
COPY models models
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]

# Its models folder is empty and has to be mounted. A card means that TensorFlow Serving has
# that model: an included card would keep /readyz at 503 wherever it does not.
FROM ${BASE} AS installed-gateway
RUN python -m venv /opt/venv
COPY requirements-gateway.lock /tmp/
# Not needed: packages' tests; sources for compiling against them; pip, after the
# installation; fonts and AVIF; Pygments' lexers.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements-gateway.lock \
    && find /opt/venv \( -type d -name tests -o -name '*.[ch]' -o -name '*.py[ix]' -o -name '*.pxd' \
        -o -path '*/numpy/f2py' -o -path '*/numpy/distutils' -o -path '*/numpy/_core/_simd.*' \
        -o -path '/opt/venv/bin/pip*' -o -path '*/site-packages/pip*' \
        -o -path '*/site-packages/setuptools*' -o -path '*/site-packages/pkg_resources' \
        -o -path '*/PIL/_imagingft.*' -o -path '*/PIL/_avif.*' \
        -o -path '*/pillow.libs/libharfbuzz*' -o -path '*/pillow.libs/libfreetype*' \
        -o -path '*/pillow.libs/libavif*' \
        -o -path '*/pygments/lexers' -o -path '*/pygments/styles' \
        \) -prune -exec rm -rf {} +

FROM system AS gateway
ENV FACENALITY_ENGINE=tf-serving \
    FACENALITY_CACHE_DIR=none
COPY --from=installed-gateway /opt/venv /opt/venv
COPY --from=program /app /app
USER 10001:10001
VOLUME ["/app/models", "/app/uploads"]

# slim and TensorFlow, without the headers, which are only needed for compiling.
FROM installed-slim AS installed-full
ARG LOCK=requirements.lock
COPY ${LOCK} /tmp/requirements.lock
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /tmp/requirements.lock \
    && rm -rf /opt/venv/lib/python3*/site-packages/tensorflow/include \
    && find /opt/venv -type d -name tests -prune -exec rm -rf {} +

FROM system AS full
COPY --from=installed-full /opt/venv /opt/venv
COPY --from=program /app /app
COPY models models
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]
