"""What is not collected: doctests of modules whose libraries come with an extra that is not installed."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("starlette") and find_spec("itsdangerous") else ["pipeline/web/*"]
