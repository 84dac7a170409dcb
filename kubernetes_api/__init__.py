"""The few requests to the Kubernetes API that Conveyor makes from inside its pods."""
