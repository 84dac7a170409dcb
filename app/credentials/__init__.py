"""The Secrets of a release: passwords, made once, and the MySQL servers' certificates, renewed in time."""
