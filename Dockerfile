# The targets: full (the default: TensorFlow and OpenVINO) and slim (OpenVINO alone).
#   docker build -t facenality .
#   docker build -t facenality:slim --target slim .
#   docker build -t facenality:gpu --build-arg LOCK=requirements-gpu.lock .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS system
LABEL org.opencontainers.image.title="facenality" \
      org.opencontainers.image.description="A Keras model in production: a page, /predict, probes, metrics" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/facenality/facenality"
# A number: Kubernetes has to see that it is not root.
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
    CMD ["python", "-m", "facenality.alive"]
CMD ["python", "app.py"]

# The program: a small layer above what is installed, which changes seldom.
FROM ${BASE} AS program
WORKDIR /app
COPY models models
COPY frontend frontend
COPY facenality facenality
COPY app.py gunicorn.conf.py ./
RUN python -m compileall -q facenality app.py

FROM ${BASE} AS installed-slim
RUN python -m venv /opt/venv
COPY requirements-slim.lock /tmp/
# Not for us: OpenVINO's plugins for Intel's GPU and NPU, its headers, everybody's tests.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements-slim.lock \
    && rm -rf /opt/venv/lib/python3*/site-packages/openvino/include \
        /opt/venv/lib/python3*/site-packages/openvino/libs/cache.json \
        /opt/venv/lib/python3*/site-packages/openvino/libs/libopenvino_intel_[gn]pu_plugin.so \
    && find /opt/venv -type d -name tests -prune -exec rm -rf {} +

FROM system AS slim
COPY --from=installed-slim /opt/venv /opt/venv
COPY --from=program /app /app
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]

# The same, and TensorFlow; its headers serve who compiles against it.
FROM installed-slim AS installed-full
ARG LOCK=requirements.lock
COPY ${LOCK} /tmp/requirements.lock
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
    && rm -rf /opt/venv/lib/python3*/site-packages/tensorflow/include \
    && find /opt/venv -type d -name tests -prune -exec rm -rf {} +

FROM system AS full
COPY --from=installed-full /opt/venv /opt/venv
COPY --from=program /app /app
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]
