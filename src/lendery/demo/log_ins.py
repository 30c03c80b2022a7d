"""Who may sign in to the demo library. These exist nowhere else."""

PASSWORD = "lendery-demo"  # printed at start
LOG_INS = ("reader@example.org", "librarian@example.org", "admin@example.org")
