//! Groups of consumers, and the offsets that they commit.

use crate::l7::kafka::layout::*;

pub(super) const OFFSET_COMMIT: Api = Api::new(8, "OffsetCommit", 10, 8)
    .asks(&[
        GROUP,
        pass(4).since(1),
        STRING.since(1),
        STRING.since(7),
        pass(8).since(2).until(4),
        list(&[
            TOPIC.until(9),
            TOPIC_ID.since(10),
            list(&[
                PARTITION,
                OFFSET,
                pass(4).since(6),
                pass(8).since(1).until(1),
                STRING,
            ]),
        ]),
    ])
    .tells(&[
        pass(4).since(3),
        list(&[STRING.until(9), pass(16).since(10), list(&[pass(4), ERROR])]),
    ]);

pub(super) const OFFSET_FETCH: Api = Api::new(9, "OffsetFetch", 10, 6)
    .asks(&[
        GROUP.until(7),
        list(&[TOPIC, PARTITIONS]).until(7),
        list(&[
            GROUP,
            STRING.since(9),
            pass(4).since(9),
            list(&[TOPIC.until(9), TOPIC_ID.since(10), PARTITIONS]),
        ])
        .since(8),
    ])
    .tells(&[
        pass(4).since(3),
        list(&[STRING, list(&[pass(4), OFFSET, pass(4).since(5), STRING, ERROR])]).until(7),
        ERROR.since(2).until(7),
        list(&[
            STRING,
            list(&[
                STRING.until(9),
                pass(16).since(10),
                list(&[pass(4), OFFSET, pass(4), STRING, ERROR]),
            ]),
            ERROR,
        ])
        .since(8),
    ]);

pub(super) const FIND_COORDINATOR: Api = Api::new(10, "FindCoordinator", 6, 3)
    .asks(&[
        GROUP.until(0),
        KEY.since(1).until(3),
        KEY_TYPE.since(1),
        KEYS.since(4),
    ])
    .tells(&[
        pass(4).since(1),
        ERROR.until(3),
        MESSAGE.since(1).until(3),
        pass(4).until(3),
        STRING.until(3),
        pass(4).until(3),
        list(&[STRING, pass(4), STRING, pass(4), ERROR, MESSAGE]).since(4),
    ]);

pub(super) const JOIN_GROUP: Api = Api::new(11, "JoinGroup", 9, 6)
    .asks(&[GROUP])
    .tells(&[pass(4).since(2), ERROR]);

pub(super) const HEARTBEAT: Api = Api::new(12, "Heartbeat", 4, 4)
    .asks(&[GROUP])
    .tells(&[pass(4).since(1), ERROR]);

pub(super) const LEAVE_GROUP: Api = Api::new(13, "LeaveGroup", 5, 4).asks(&[GROUP]).tells(&[
    pass(4).since(1),
    ERROR,
    list(&[STRING, STRING, ERROR]).since(3),
]);

pub(super) const SYNC_GROUP: Api = Api::new(14, "SyncGroup", 5, 4)
    .asks(&[GROUP])
    .tells(&[pass(4).since(1), ERROR]);

pub(super) const DESCRIBE_GROUPS: Api = Api::new(15, "DescribeGroups", 6, 5).asks(&[GROUPS]).tells(&[
    pass(4).since(1),
    list(&[
        ERROR,
        MESSAGE.since(6),
        STRING,
        STRING,
        STRING,
        STRING,
        list(&[STRING, STRING.since(4), STRING, STRING, BYTES, BYTES]),
        pass(4).since(3),
    ]),
]);

pub(super) const LIST_GROUPS: Api = Api::new(16, "ListGroups", 5, 3).tells(&[pass(4).since(1), ERROR]);

pub(super) const DELETE_GROUPS: Api = Api::new(42, "DeleteGroups", 2, 2)
    .asks(&[GROUPS])
    .tells(&[pass(4), list(&[STRING, ERROR])]);

pub(super) const OFFSET_DELETE: Api = Api::new(47, "OffsetDelete", 0, INFLEXIBLE)
    .asks(&[GROUP, list(&[TOPIC, list(&[PARTITION])])])
    .tells(&[ERROR, pass(4), list(&[STRING, list(&[pass(4), ERROR])])]);

pub(super) const CONSUMER_GROUP_HEARTBEAT: Api = Api::new(68, "ConsumerGroupHeartbeat", 1, 0)
    .asks(&[
        GROUP,
        STRING,
        pass(4),
        STRING,
        STRING,
        pass(4),
        TOPICS,
        STRING.since(1),
        STRING,
        list(&[TOPIC_ID, PARTITIONS]),
    ])
    .tells(&[pass(4), ERROR, MESSAGE]);

/// What a member of a consumer group has, or is to have.
const ASSIGNMENT: Field = group(&[list(&[pass(16), STRING, NUMBERS_4])]);

pub(super) const CONSUMER_GROUP_DESCRIBE: Api = Api::new(69, "ConsumerGroupDescribe", 1, 0)
    .asks(&[GROUPS])
    .tells(&[
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
                STRING,
                pass(4),
                STRING,
                STRING,
                STRINGS,
                STRING,
                ASSIGNMENT,
                ASSIGNMENT,
                pass(1).since(1),
            ]),
            pass(4),
        ]),
    ]);

pub(super) const STREAMS_GROUP_HEARTBEAT: Api = Api::new(88, "StreamsGroupHeartbeat", 0, 0)
    .asks(&[GROUP])
    .tells(&[pass(4), ERROR, MESSAGE]);

/// A topic that a topology makes for itself.
const INTERNAL_TOPICS: Field = list(&[STRING, pass(6), list(&[STRING, STRING])]);
/// Tasks of a member, by the part of the topology.
const TASKS: Field = list(&[STRING, NUMBERS_4]);
const TASK_OFFSETS: Field = list(&[STRING, pass(12)]);

pub(super) const STREAMS_GROUP_DESCRIBE: Api = Api::new(89, "StreamsGroupDescribe", 0, 0)
    .asks(&[GROUPS])
    .tells(&[
        pass(4),
        list(&[
            ERROR,
            MESSAGE,
            STRING,
            STRING,
            pass(8),
            maybe(&[
                pass(4),
                list(&[STRING, STRINGS, STRINGS, INTERNAL_TOPICS, INTERNAL_TOPICS]),
            ]),
            list(&[
                STRING,
                pass(4),
                STRING,
                STRING,
                STRING,
                STRING,
                pass(4),
                STRING,
                maybe(&[STRING, pass(2)]),
                list(&[STRING, STRING]),
                TASK_OFFSETS,
                TASK_OFFSETS,
                group(&[TASKS, TASKS, TASKS]),
                group(&[TASKS, TASKS, TASKS]),
                pass(1),
            ]),
            pass(4),
        ]),
    ]);
