"""Reports: what the library counts of itself: loans, titles, holds, money, the collection.

Owns a read model: counters by local day, and what it needs to know of copies, books and open
holds. It hears circulation and the catalog, asks the catalog for the words on books, and
circulation for branches and for what is late, and gives notices what is to be mailed. It tells
nothing, and what it counts is about nobody: no id of a person, no token, and no category beside a
title. Only a subscription says whose it is.
"""
