"""What is kept: tables, transactions, and the vault for the five credentials."""
