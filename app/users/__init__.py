"""Users: who products are made for."""
