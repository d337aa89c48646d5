"""Metrics for programs that do not read Prometheus' text format."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families


def metrics_json(text: str) -> dict[str, Any]:
    """Return every metric with its samples; what JSON has no number for, such as NaN, is None."""
    return {
        "metrics": [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "samples": [
                    {"name": sample.name, "labels": sample.labels, "value": sample.value} for sample in family.samples
                ],
            }
            for family in text_string_to_metric_families(text)
        ]
    }
