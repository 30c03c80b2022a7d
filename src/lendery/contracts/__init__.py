"""The words that contexts share: ports, values, events and problems. Pure: no I/O, ever."""
