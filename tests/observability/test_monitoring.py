"""What is shipped for Prometheus and Grafana asks for metrics that there are, and leads to a section of the runbook."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from natya.actors.alarms.rules import RULES
from natya.actors.observability.metrics import METRICS

DOCS = Path(__file__).resolve().parents[2] / "docs"
ALERTS = (DOCS / "monitoring" / "alerts.yaml").read_text(encoding="utf-8")
RULE = re.compile(r"- alert: (?P<name>\w+)\n\s+expr: (?P<expr>.*)\n(?:\s+for: .*\n)?(?P<rest>(?:\s+\w+: \{.*\}\n)+)")
SUFFIXES = {"counter": ("_total",), "lasting": ("_total",), "gauge": ("",), "timing": ("_bucket", "_sum", "_count")}
LABELS = {
    f"natya_{metric.name}{suffix}": {*metric.labels, *(["le"] if suffix == "_bucket" else [])}
    for metric in METRICS
    for suffix in SUFFIXES[metric.kind]
}
SECTIONS = set(re.findall(r"^## (\w+)$", (DOCS / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE))
PANELS = [
    panel
    for panel in json.loads((DOCS / "monitoring" / "grafana.json").read_text(encoding="utf-8"))["panels"]
    if panel["type"] != "row"
]


def asked(expression):
    """The metrics of natya in an expression, each with the labels that are selected."""
    found = re.findall(r"(natya_\w+)(?:\{([^}]*)\})?", expression)
    return [(name, set(re.findall(r"(\w+)\s*[=!]", selected))) for name, selected in found]


ASKED = [each for rule in RULE.finditer(ALERTS) for each in asked(rule["expr"])] + [
    each for panel in PANELS for target in panel["targets"] for each in asked(target["expr"])
]


@pytest.mark.parametrize(("name", "labels"), ASKED)
def test_each_metric_that_is_asked_for_is_one_with_these_labels(name, labels):
    assert name in LABELS
    assert labels <= LABELS[name]


def test_a_legend_shows_labels_that_its_metric_has():
    for panel in PANELS:
        for target in panel["targets"]:
            (name, _), *_ = asked(target["expr"]) or [("", set())]
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert shown <= LABELS.get(name, set()), panel["title"]


def test_each_alert_leads_to_a_section_and_says_how_bad_it_is():
    rules = list(RULE.finditer(ALERTS))

    assert len(rules) == ALERTS.count("- alert:") > 10
    for rule in rules:
        assert re.search(r"section: (\w+)", rule["rest"])[1] in SECTIONS, rule["name"]
        assert re.search(r"severity: (warning|critical)\b", rule["rest"]), rule["name"]


def test_each_alarm_has_a_section_of_its_name():
    assert {rule.name for rule in RULES} <= SECTIONS


def test_each_section_is_led_to():
    led_to = {rule.name for rule in RULES} | set(re.findall(r"section: (\w+)", ALERTS))

    assert led_to == SECTIONS


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed")
def test_prometheus_takes_the_rules():
    rules = DOCS / "monitoring" / "alerts.yaml"
    done = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True, check=False)  # noqa: S607

    assert done.returncode == 0, done.stdout + done.stderr
