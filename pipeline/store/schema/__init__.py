"""The schema: tables, views, triggers, the full-text index, and the data dictionary made from them."""
