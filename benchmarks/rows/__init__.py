"""One module for each row of the table, each with a `ROW`; the module's name is the row's."""
