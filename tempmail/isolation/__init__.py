"""Runs functions that a hostile mail could stall or crash where that can be ended.

A few worker processes, started when first needed, each run one pure function of
:mod:`tempmail.content` at a time. A worker that takes too long, eats too much or dies is killed and
replaced; only the one mail it read is the worse for it. Killing a process is the one way to end
code in C or Rust that does not want to end, which is why these are no threads.

A worker reads what strangers wrote, so the parent treats what a worker says as a stranger's words:
bounded, plain values, put into the types that the parent itself expects. Nothing is imported here,
because a worker, which starts by this package, shall have no Twisted to load.
"""
