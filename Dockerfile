# The application as compose.yaml runs it: the package with its web and PostgreSQL parts, as a user who owns nothing.
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
RUN pip install --no-cache-dir "/source[web,postgres]" && useradd --no-create-home trialwright
USER trialwright
WORKDIR /tmp
EXPOSE 8000
ENTRYPOINT ["trialwright"]
