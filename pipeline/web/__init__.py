"""Pages to look at the archive with, and to steer it: one ASGI application, for `news serve` and for Airflow.

Articles are hostile input: templates escape everything, no script or style of theirs is in a page, and nothing is
loaded from elsewhere (`pipeline.web.guard`). Pages read through connections that cannot write; what
changes something is an action with a token (`pipeline.web.actions`). Needs the extra ``web``.
"""
