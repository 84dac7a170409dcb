"""What people would pick instead of Conveyor, each as its own documentation shows it."""
