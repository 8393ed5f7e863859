"""What clients of MongoDB do. Usage: mongodb_client.py ADDRESS PORT [PART...]; the parts are the functions below,
or all of them. The records are in mongodb.rs.
"""

import sys

from pymongo import CursorType, MongoClient, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

SERVER = {
    "host": sys.argv[1], "port": int(sys.argv[2]), "serverMonitoringMode": "poll", "directConnection": True,
    # Monitors ask once; further questions would come when they like.
    "heartbeatFrequencyMS": 600000, "serverSelectionTimeoutMS": 60000,
}


def fails(kind, does):
    """A client that is not told of a failure has asked something else."""
    try:
        does()
    except kind:
        return
    raise AssertionError("that should have failed")


def plainly():
    """Commands of all shapes."""
    with MongoClient(**SERVER) as client:
        items = client.shop.items
        items.insert_one({"_id": 1, "name": "apple"})
        items.insert_many({"_id": i, "name": "pear"} for i in range(2, 6))
        assert len(list(items.find({"name": "pear"}, batch_size=2))) == 4
        fails(DuplicateKeyError, lambda: items.insert_one({"_id": 1}))
        fails(BulkWriteError, lambda: items.insert_many([{"_id": 2}, {"_id": 3}], ordered=False))
        fails(OperationFailure, lambda: list(items.find({"$nonsense": 1})))
        fails(OperationFailure, lambda: client.admin.command("nonsense"))
        assert items.update_many({"name": "pear"}, {"$set": {"name": "fig"}}).modified_count == 4
        assert items.delete_one({"_id": 5}).deleted_count == 1
        assert items.count_documents({}) == 4
        assert len(list(items.find({}, batch_size=1, cursor_type=CursorType.EXHAUST))) == 4
        log = client.shop.get_collection("log", write_concern=WriteConcern(w=0))
        for number in range(3):
            log.insert_one({"_id": number})
        client.admin.command("ping")


def at_length():
    """Requests and answers of many segments."""
    with MongoClient(**SERVER) as client:
        blobs = client.shop.blobs
        blobs.insert_many({"_id": i, "data": bytes(10_000)} for i in range(20))
        assert sum(len(blob["data"]) for blob in blobs.find({})) == 200_000
        client.admin.command("ping")


def packed():
    """The same by each compressor."""
    for compressor in ("snappy", "zlib", "zstd"):
        with MongoClient(**SERVER, compressors=compressor) as client:
            items = client["packed"][compressor]
            items.insert_many({"_id": i, "text": "all the same " * 20} for i in range(50))
            assert len(list(items.find({}, batch_size=30))) == 50
            fails(OperationFailure, lambda: list(items.find({"$nonsense": 1})))


def login():
    """One that is let in, and one that is not."""

    def ping(password):
        with MongoClient(**SERVER, username="ada", password=password, authMechanism="SCRAM-SHA-256") as client:
            client.admin.command("ping")

    ping("correct horse")
    fails(OperationFailure, lambda: ping("wrong horse"))


for part in sys.argv[3:] or ["plainly", "at_length", "packed", "login"]:
    globals()[part]()
