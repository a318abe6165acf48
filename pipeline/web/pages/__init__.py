"""The pages, each with its routes, and the actions that are taken from them."""
