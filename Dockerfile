# The targets: full (the default: TensorFlow and OpenVINO) and slim (OpenVINO alone).
#   docker build -t facenality .
#   docker build -t facenality:slim --target slim .
#   docker build -t facenality:gpu --build-arg LOCK=requirements-gpu.lock .
ARG BASE=python:3.11-slim-bookworm

# What is installed changes seldom, so it is built first and copied as one layer.
FROM ${BASE} AS installed-slim
RUN python -m venv /opt/venv
COPY requirements-slim.lock /tmp/
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements-slim.lock

FROM ${BASE} AS installed-full
ARG LOCK=requirements.lock
RUN python -m venv /opt/venv
COPY ${LOCK} /tmp/requirements.lock
# TensorFlow's headers serve who compiles against it.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
    && rm -rf /opt/venv/lib/python3*/site-packages/tensorflow/include

FROM ${BASE} AS app
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
COPY models models
COPY frontend frontend
COPY facenality facenality
COPY app.py gunicorn.conf.py ./
RUN python -m compileall -q facenality app.py
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-m", "facenality.alive"]
CMD ["python", "app.py"]

FROM app AS slim
COPY --from=installed-slim /opt/venv /opt/venv
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]

FROM app AS full
COPY --from=installed-full /opt/venv /opt/venv
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]
