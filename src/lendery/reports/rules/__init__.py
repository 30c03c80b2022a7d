"""What events mean for the counters, which reports there are, and which days they are about."""
