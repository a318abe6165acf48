"""Column types that SQLite and PostgreSQL share, and the base class of all tables."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A zone-aware time in UTC. SQLite has no such type: there it is ISO text in UTC, which sorts as time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives row ids of its own only to INTEGER keys; PostgreSQL needs the room of BIGINT.
Key = BigInteger().with_variant(Integer, "sqlite")

Json = JSON().with_variant(JSONB, "postgresql")

# For columns that mostly are null: Python's None is SQL's NULL there, not JSON's.
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def check_words(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """The constraint that a column holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


Filling = float | str | type[list[Any]] | type[dict[str, Any]]
"""A number, a word or a truth value; `list` or `dict` for an empty one."""


def filled_column(value: Filling, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as mapped_column has it
    """A `mapped_column` that holds a value where a row gives none, also in rows from before it."""
    match value:
        case bool():
            sql = str(value).lower()
        case int() | float():
            sql = f"{value:g}"
        case str():
            sql = repr(value)
        case _:
            sql = repr(str(value()))
    return mapped_column(*args, default=value, server_default=text(sql), **options)


class Table(DeclarativeBase):
    """Root of all tables; the naming convention gives every constraint a name that migrations can use."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json, str: Text}  # noqa: RUF012
