"""Pictures of the dashboards, drawn from what a live Prometheus answers to their queries."""
