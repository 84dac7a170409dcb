"""The certificates by which the parts of an installation know its MySQL servers: when to renew, and how."""
