"""Records in bulk: into the catalogue, back out of it, and an import taken back.

place.py       the private folder where files lie meanwhile
reading.py     a file read ahead, in a process of its own
ready.py       a record made ready to be written, before the database is asked anything
lookups.py     which books records may be about (rules/matching.py says what follows)
merging.py     a chunk of records into the catalogue, in one transaction
overlaying.py  records that are here already     copies.py   the copies that records tell of
running.py     an import at work                 outcome.py  what became of each record
imports.py     imports as cataloguers ask for them
undoing.py     a whole import taken back         exporting.py  the catalogue written to a file
"""
