//! Share groups (KIP-932), and the state that coordinators keep of them.

use crate::l7::kafka::layout::*;

pub(super) const SHARE_GROUP_HEARTBEAT: Api = Api::new(76, "ShareGroupHeartbeat", 1, 0)
    .asks(&[GROUP, STRING, pass(4), STRING, TOPICS])
    .tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const SHARE_GROUP_DESCRIBE: Api =
    Api::new(77, "ShareGroupDescribe", 1, 0).asks(&[GROUPS]).tells(&[
        pass(4),
        list(&[
            ERROR,
            MESSAGE,
            STRING,
            STRING,
            pass(8),
            STRING,
            list(&[
                STRING,
                STRING,
                pass(4),
                STRING,
                STRING,
                STRINGS,
                group(&[list(&[pass(16), STRING, NUMBERS_4])]),
            ]),
            pass(4),
        ]),
    ]);

/// Batches of records that a consumer has done with.
const ACKNOWLEDGED: Field = list(&[pass(16), BYTES_1]);
/// Who leads a partition now.
const LEADER: Field = group(&[pass(8)]);

pub(super) const SHARE_FETCH: Api = Api::new(78, "ShareFetch", 2, 0)
    .asks(&[
        GROUP,
        STRING,
        pass(16),
        pass(8).since(1),
        pass(2).since(2),
        list(&[TOPIC_ID, list(&[PARTITION, pass(4).until(0), ACKNOWLEDGED])]),
    ])
    .tells(&[
        pass(4),
        ERROR,
        MESSAGE,
        pass(4).since(1),
        list(&[
            TOPIC_ID,
            list(&[
                PARTITION,
                ERROR,
                MESSAGE,
                ERROR,
                MESSAGE,
                LEADER,
                RECORDS,
                list(&[pass(18)]),
            ]),
        ]),
    ]);

pub(super) const SHARE_ACKNOWLEDGE: Api = Api::new(79, "ShareAcknowledge", 2, 0)
    .asks(&[
        GROUP,
        STRING,
        pass(4),
        pass(1).since(2),
        list(&[TOPIC_ID, list(&[PARTITION, ACKNOWLEDGED])]),
    ])
    .tells(&[
        pass(4),
        ERROR,
        MESSAGE,
        pass(4).since(2),
        list(&[pass(16), list(&[pass(4), ERROR, MESSAGE, LEADER])]),
    ]);

/// The outcome for each partition of a state that was asked for.
const OUTCOMES: &[Field] = &[list(&[pass(16), list(&[pass(4), ERROR, MESSAGE])])];

pub(super) const INITIALIZE_SHARE_GROUP_STATE: Api = Api::new(83, "InitializeShareGroupState", 0, 0)
    .asks(&[GROUP, list(&[TOPIC_ID, list(&[PARTITION, pass(4), OFFSET])])])
    .tells(OUTCOMES);

pub(super) const READ_SHARE_GROUP_STATE: Api = Api::new(84, "ReadShareGroupState", 0, 0)
    .asks(&[GROUP, list(&[TOPIC_ID, list(&[PARTITION, pass(4)])])])
    .tells(&[list(&[
        pass(16),
        list(&[pass(4), ERROR, MESSAGE, pass(4), OFFSET, list(&[pass(19)])]),
    ])]);

pub(super) const WRITE_SHARE_GROUP_STATE: Api = Api::new(85, "WriteShareGroupState", 1, 0)
    .asks(&[
        GROUP,
        list(&[
            TOPIC_ID,
            list(&[PARTITION, pass(8), OFFSET, pass(4).since(1), list(&[pass(19)])]),
        ]),
    ])
    .tells(OUTCOMES);

pub(super) const DELETE_SHARE_GROUP_STATE: Api = Api::new(86, "DeleteShareGroupState", 0, 0)
    .asks(&[GROUP, list(&[TOPIC_ID, list(&[PARTITION])])])
    .tells(OUTCOMES);

pub(super) const READ_SHARE_GROUP_STATE_SUMMARY: Api = Api::new(87, "ReadShareGroupStateSummary", 1, 0)
    .asks(&[GROUP, list(&[TOPIC_ID, list(&[PARTITION, pass(4)])])])
    .tells(&[list(&[
        pass(16),
        list(&[pass(4), ERROR, MESSAGE, pass(8), OFFSET, pass(4).since(1)]),
    ])]);

pub(super) const DESCRIBE_SHARE_GROUP_OFFSETS: Api = Api::new(90, "DescribeShareGroupOffsets", 1, 0)
    .asks(&[list(&[GROUP, list(&[TOPIC, PARTITIONS])])])
    .tells(&[
        pass(4),
        list(&[
            STRING,
            list(&[
                STRING,
                pass(16),
                list(&[pass(4), OFFSET, pass(4), pass(8).since(1), ERROR, MESSAGE]),
            ]),
            ERROR,
            MESSAGE,
        ]),
    ]);

pub(super) const ALTER_SHARE_GROUP_OFFSETS: Api = Api::new(91, "AlterShareGroupOffsets", 0, 0)
    .asks(&[GROUP, list(&[TOPIC, list(&[PARTITION, OFFSET])])])
    .tells(&[
        pass(4),
        ERROR,
        MESSAGE,
        list(&[STRING, pass(16), list(&[pass(4), ERROR, MESSAGE])]),
    ]);

pub(super) const DELETE_SHARE_GROUP_OFFSETS: Api = Api::new(92, "DeleteShareGroupOffsets", 0, 0)
    .asks(&[GROUP, list(&[TOPIC])])
    .tells(&[pass(4), ERROR, MESSAGE, list(&[STRING, pass(16), ERROR, MESSAGE])]);
