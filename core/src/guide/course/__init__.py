"""The course: fifteen days as data, a teacher's to change, and which of them is today."""
