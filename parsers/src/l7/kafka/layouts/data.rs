//! Producing, fetching, and finding out where.

use crate::l7::kafka::layout::*;

pub(super) const PRODUCE: Api = Api::new(0, "Produce", 13, 9)
    .asks(&[
        TRANSACTION.since(3),
        ACKS,
        pass(4),
        list(&[TOPIC.until(12), TOPIC_ID.since(13), list(&[PARTITION, RECORDS])]),
    ])
    .tells(&[list(&[
        STRING.until(12),
        pass(16).since(13),
        list(&[
            pass(4),
            ERROR,
            OFFSET,
            pass(8).since(2),
            pass(8).since(5),
            list(&[pass(4), STRING]).since(8),
            MESSAGE.since(8),
        ]),
    ])]);

// Forgotten topics, behind the last list of the request, are not asked for.
pub(super) const FETCH: Api = Api::new(1, "Fetch", 18, 12)
    .asks(&[
        pass(4).until(14),
        pass(8),
        pass(4).since(3),
        pass(1).since(4),
        pass(8).since(7),
        list(&[
            TOPIC.until(12),
            TOPIC_ID.since(13),
            list(&[
                PARTITION,
                pass(4).since(9),
                OFFSET,
                pass(4).since(12),
                pass(8).since(5),
                pass(4),
            ]),
        ]),
    ])
    .tells(&[
        pass(4).since(1),
        ERROR.since(7),
        pass(4).since(7),
        list(&[
            TOPIC.until(12),
            TOPIC_ID.since(13),
            list(&[
                PARTITION,
                ERROR,
                pass(8),
                pass(8).since(4),
                pass(8).since(5),
                list(&[pass(16)]).since(4),
                pass(4).since(11),
                RECORDS,
            ]),
        ]),
    ]);

pub(super) const LIST_OFFSETS: Api = Api::new(2, "ListOffsets", 11, 6)
    .asks(&[
        pass(4),
        pass(1).since(2),
        list(&[
            TOPIC,
            list(&[PARTITION, pass(4).since(4), pass(8), pass(4).until(0)]),
        ]),
    ])
    .tells(&[
        pass(4).since(2),
        list(&[
            STRING,
            list(&[
                pass(4),
                ERROR,
                NUMBERS_8.until(0),
                pass(8).since(1),
                OFFSET.since(1),
                pass(4).since(4),
            ]),
        ]),
    ]);

pub(super) const METADATA: Api = Api::new(3, "Metadata", 13, 9)
    .asks(&[list(&[TOPIC_ID.since(10), TOPIC])])
    .tells(&[
        pass(4).since(3),
        list(&[pass(4), STRING, pass(4), STRING.since(1)]),
        STRING.since(2),
        pass(4).since(1),
        list(&[
            ERROR,
            TOPIC,
            TOPIC_ID.since(10),
            pass(1).since(1),
            list(&[
                ERROR,
                pass(8),
                pass(4).since(7),
                NUMBERS_4,
                NUMBERS_4,
                NUMBERS_4.since(5),
            ]),
            pass(4).since(8),
        ]),
        pass(4).since(8).until(10),
        ERROR.since(13),
    ]);

pub(super) const API_VERSIONS: Api = Api::new(18, "ApiVersions", 4, 3)
    .asks(&[LIBRARY.since(3), LIBRARY_VERSION.since(3)])
    .tells(&[ERROR]);

pub(super) const OFFSET_FOR_LEADER_EPOCH: Api = Api::new(23, "OffsetForLeaderEpoch", 4, 4)
    .asks(&[
        pass(4).since(3),
        list(&[TOPIC, list(&[PARTITION, pass(4).since(2), pass(4)])]),
    ])
    .tells(&[
        pass(4).since(2),
        list(&[STRING, list(&[ERROR, pass(4), pass(4).since(1), OFFSET])]),
    ]);

pub(super) const DESCRIBE_TOPIC_PARTITIONS: Api = Api::new(75, "DescribeTopicPartitions", 0, 0)
    .asks(&[list(&[TOPIC])])
    .tells(&[
        pass(4),
        list(&[
            ERROR,
            TOPIC,
            TOPIC_ID,
            pass(1),
            list(&[
                ERROR,
                pass(12),
                NUMBERS_4,
                NUMBERS_4,
                NUMBERS_4,
                NUMBERS_4,
                NUMBERS_4,
            ]),
            pass(4),
        ]),
    ]);
