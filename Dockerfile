# The targets: full (the default: TensorFlow and OpenVINO), slim (OpenVINO alone) and
# gateway (neither: its models live in TensorFlow Serving).
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
    CMD ["python", "-m", "facenality.app.healthcheck"]
CMD ["python", "app.py"]

# The program: a small layer above what is installed, which changes seldom.
FROM ${BASE} AS program
WORKDIR /app
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
COPY models models
USER 10001:10001
VOLUME ["/app/models", "/app/uploads", "/cache"]

# Its models folder is empty and to be mounted: a card there says "ask TensorFlow Serving
# for this model", and one that came along would be asked of servers that have no such
# model, and keep /readyz at 503.
FROM ${BASE} AS installed-gateway
RUN python -m venv /opt/venv
COPY requirements-gateway.lock /tmp/
# Not for us: everybody's tests; sources for who compiles against them; pip, once it has
# done its work; fonts, and AVIF; which words of which language a pager colours.
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

# slim, and TensorFlow; its headers serve who compiles against it.
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
