"""Reading and doing: the sections and exercises that plugins contribute."""
