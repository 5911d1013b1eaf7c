# A server of classifiers, on CPUs: docker build -t eyespot .
# docker run --rm -p 127.0.0.1:8000:8000 -v "$PWD/pets.eyespot:/models/pets.eyespot:ro" eyespot
FROM python:3.11-slim AS build
COPY pyproject.toml constraints.txt README.md LICENSE /eyespot/
COPY src /eyespot/src
RUN python -m venv /venv
# torch's own index has the build without the libraries of GPUs.
RUN /venv/bin/pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
    "/eyespot[serve,heic]" -c /eyespot/constraints.txt

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 eyespot
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH EYESPOT_CACHE=/home/eyespot/cache PYTHONUNBUFFERED=1
USER eyespot
# The network is converted once, here, so that the server starts at once, and without torch.
RUN python -c "from eyespot.features.backbone import load_backbone; \
    from eyespot.features.engines import open_engine; open_engine(load_backbone())"
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"]
# Within a container all callers come from outside it: who may call is said by where its port is
# published (-p 127.0.0.1:8000:8000), or by keys: mount them, and add --api-keys /run/secrets/keys.
ENTRYPOINT ["eyespot", "serve", "--host", "0.0.0.0"]
CMD ["--open", "/models/pets.eyespot"]
