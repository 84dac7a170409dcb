"""The process beside each MySQL Group Replication member: it bootstraps, joins and reports."""
