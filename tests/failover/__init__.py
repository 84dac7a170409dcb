"""The failure matrix of the MySQL group: what clients were promised, against what every member holds."""
