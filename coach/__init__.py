"""The coach: plain data, fault rules, guidance, reports and the command line."""
