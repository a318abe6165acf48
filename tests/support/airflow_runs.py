"""What runs of DAGs left behind in Airflow's own database."""

from typing import Any


def asset_events(run: Any) -> list[dict[str, Any]]:
    """The extras of the asset events that a run caused."""
    import sqlalchemy as sa
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        return list(session.scalars(sa.select(AssetEvent.extra).where(AssetEvent.source_run_id == run.run_id)))
