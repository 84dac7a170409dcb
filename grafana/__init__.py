"""The Grafana dashboards of the chart as readable source: `make docs` writes them as JSON."""
