"""What the process that others are forked from loads, once."""

import gc

import uvicorn.protocols.http.httptools_impl  # noqa: F401
import uvloop  # noqa: F401

import lendery.cli
import lendery.main
import lendery.web  # noqa: F401

gc.collect()
gc.freeze()
