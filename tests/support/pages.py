"""The pages of `news serve`, asked for with real requests, and what is on them."""

import re

import pytest

pytest.importorskip("starlette", reason="the pages need the extra web")

from lxml import html
from starlette.testclient import TestClient

from pipeline.config import Settings
from pipeline.web.application import create_app
from pipeline.web.guard import LOOPBACK


def client(engine, settings=None, **options):
    """A browser without scripts that keeps its cookies and follows no redirect."""
    app = create_app(engine, settings or Settings(), **({"hosts": LOOPBACK} | options))
    return TestClient(app, base_url="http://localhost:8766", follow_redirects=False)


def form_token(page):
    """The token that the forms of a page carry."""
    return re.search(r'name="form_token" value="([^"]+)"', page.text)[1]


class Reader:
    """Who leafs through the pages, and sends their forms."""

    def __init__(self, engine, settings=None, **options):
        self.client = client(engine, settings, **options)

    def get(self, path, status=200, **query):
        """The tree of a page."""
        return self.tree(self.client.get(path, params=query or None), status)

    @staticmethod
    def tree(answer, status=200):
        """The tree of the page that an answer holds."""
        assert answer.status_code == status, answer.text
        return html.document_fromstring(answer.text)

    def token(self, path):
        """The token of the forms on a page."""
        return form_token(self.client.get(path))

    def json(self, path, **query):
        answer = self.client.get(path, params={"format": "json", **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, path, page, files=None, **form):
        """Send a form that stands on a page; returns where it leads, with what is said there."""
        token = {"form_token": self.token(page)}
        answer = self.client.post(path, data=token | form, files=files)
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])


def text_of(tree, path):
    """The texts of the elements that a path finds, white space joined."""
    return [" ".join(element.text_content().split()) for element in tree.xpath(path)]
