"""For lecturers: the worksheets of a class as one table, and a study of what its students learned."""
