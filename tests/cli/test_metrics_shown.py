"""`natya metrics --json`: what Prometheus' text says, for programs that do not read it."""

from natya.cli.views.metrics import metrics_json

TEXT = """# HELP natya_orders_sent_total Orders that left.
# TYPE natya_orders_sent_total counter
natya_orders_sent_total{result="placed"} 3.0
natya_orders_sent_total{result="refused"} 0.0
# HELP natya_up Whether it runs.
# TYPE natya_up gauge
natya_up 1.0
"""


def test_each_metric_has_its_samples():
    found = metrics_json(TEXT)["metrics"]

    assert [(each["name"], each["type"], each["help"]) for each in found] == [
        ("natya_orders_sent", "counter", "Orders that left."),
        ("natya_up", "gauge", "Whether it runs."),
    ]
    assert found[0]["samples"][0] == {
        "name": "natya_orders_sent_total",
        "labels": {"result": "placed"},
        "value": 3.0,
    }
    assert found[1]["samples"][0]["value"] == 1.0
