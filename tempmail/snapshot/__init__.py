"""What is kept over a restart: a file written at the end of one process for the next one."""
