# The service, its dependencies and the released bundles: no torch, no compiler, no root.
FROM python:3.11-slim AS build
RUN python -m venv /opt/lem
WORKDIR /src
# Dependencies come first and alone, so that a change of the code does not install them again. EXTRAS names extras of
# pyproject.toml, with spaces between them, such as `otel`.
ARG EXTRAS=""
COPY pyproject.toml ./
RUN python -c "import sys, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*project['dependencies'], *sum((project['optional-dependencies'][extra] for extra in sys.argv[1:]), []), sep='\n')" \
        $EXTRAS > /tmp/requirements.txt \
    && /opt/lem/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt
COPY README.md LICENSE ./
COPY app app
COPY lem_client lem_client
COPY models/bundles models/bundles
RUN /opt/lem/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.11-slim
LABEL org.opencontainers.image.title="lem-execution" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home lem && install -d -o lem -m 700 /data
COPY --from=build /opt/lem /opt/lem
ENV PATH=/opt/lem/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LEM_DATA_DIR=/data
USER lem
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# urlopen raises, and so fails the check, on any status above 399: not ready is not healthy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["lem"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
