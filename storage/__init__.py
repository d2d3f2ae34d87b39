"""The database: tables, transactions, and the vault for the five credentials."""
