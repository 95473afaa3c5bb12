"""The tables of an evaluation: rows as mappings from the names of the columns, which table_columns.py lists."""
