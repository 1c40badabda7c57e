"""The creator that passes a request on as it stands: HySDS's `utils.get_job_json`."""

from __future__ import annotations

from typing import Any


def get_job_json(info: dict[str, Any], job_type: str) -> dict[str, Any]:
    """One job of the type that was asked for, whose parameters are the payload."""
    return {"type": job_type, "params": info, "localize_urls": info.get("localize_urls", [])}
