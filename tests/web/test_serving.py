"""`news serve` as a process: it listens, answers and stops, and says what it needs where that is not installed."""

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the pages need the extra web")
pytest.importorskip("itsdangerous", reason="the pages need the extra web")


def test_the_page_is_served_until_it_is_stopped(sqlite_url):
    words = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--root-path", "/news"]
    environ = os.environ | {"NEWS_DATABASE_URL": sqlite_url, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True) as server:
        try:
            told = server.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+/news/", told)[0]
            for path in ("news/", ""):  # as a proxy passes it on that keeps the path, or strips it
                answer = httpx.get(address.removesuffix("news/") + path, headers={"Accept": "text/html"})
                assert answer.status_code == 200
                assert 'href="/news/articles"' in answer.text
            assert "server" not in answer.headers
        finally:
            server.send_signal(signal.SIGINT)
    assert server.returncode is not None


@pytest.mark.parametrize("library", ["starlette", "jinja2", "itsdangerous", "python_multipart", "uvicorn"])
def test_what_is_missing_is_named_with_the_extra_that_brings_it(sqlite_url, library):
    code = f"import sys; sys.modules[{library!r}] = None; from pipeline.cli import main; main(['serve'])"
    environ = os.environ | {"NEWS_DATABASE_URL": sqlite_url}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"pip install {library} (or this project with its extra web)" in " ".join(done.stderr.split())
