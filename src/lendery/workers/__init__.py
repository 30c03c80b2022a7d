"""Celery's worker and beat, for libraries that are too large for one process.

worker.py  answers the bell (platform/broker.py): one process each for so many jobs at once
beat.py    rings for what is due and was not taken up
"""
