"""What runs inside the processes under test: fault points, and what is done at one. Standard library only."""
