"""What the live path is measured against: programs that a user would write, or install, instead.

They run in an environment of their own (``requirements-yardsticks.lock``) and import nothing of this project.
"""
