"""The command `news`, called in this process with an archive of its own."""

import json

from click.testing import CliRunner

from pipeline.cli import main


class News:
    """The command with an archive of its own."""

    def __init__(self, url):
        self.env = {"NEWS_DATABASE_URL": url, "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}
        self.env |= {"NEWS_JOBS": "1", "NEWS_LOG_LEVEL": "error"}

    def __call__(self, *args, code=0, stdin=None, merged=False, **env):
        """What it printed: with ``merged``, or where it is to fail, on standard error too."""
        result = CliRunner().invoke(main, [str(arg) for arg in args], env=self.env | env, input=stdin)
        assert result.exit_code == code, result.output + repr(result.exception)
        return result.output if code or merged else result.stdout

    def json(self, *args, **options):
        return json.loads(self(*args, "--json", **options))
