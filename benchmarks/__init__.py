"""Speed and memory, ours beside a named peer in one run; `make bench` runs them."""
