//! Topics, their configuration and where their partitions lie.

use crate::l7::kafka::layout::*;

pub(super) const CREATE_TOPICS: Api = Api::new(19, "CreateTopics", 7, 5)
    .asks(&[list(&[
        TOPIC,
        pass(6),
        list(&[pass(4), NUMBERS_4]),
        list(&[STRING, STRING]),
    ])])
    .tells(&[
        pass(4).since(2),
        list(&[
            TOPIC,
            TOPIC_ID.since(7),
            ERROR,
            MESSAGE.since(1),
            pass(6).since(5),
            list(&[STRING, STRING, pass(3)]).since(5),
        ]),
    ]);

pub(super) const DELETE_TOPICS: Api = Api::new(20, "DeleteTopics", 6, 4)
    .asks(&[list(&[TOPIC, TOPIC_ID]).since(6), TOPICS.until(5)])
    .tells(&[
        pass(4).since(1),
        list(&[STRING, pass(16).since(6), ERROR, MESSAGE.since(5)]),
    ]);

pub(super) const DELETE_RECORDS: Api = Api::new(21, "DeleteRecords", 2, 2)
    .asks(&[list(&[TOPIC, list(&[PARTITION, OFFSET])])])
    .tells(&[pass(4), list(&[STRING, list(&[pass(12), ERROR])])]);

/// The answer for a configured thing: its error, kind and name.
const CONFIGURED: Field = list(&[ERROR, MESSAGE, pass(1), STRING]);

pub(super) const DESCRIBE_CONFIGS: Api = Api::new(32, "DescribeConfigs", 4, 4).tells(&[
    pass(4),
    list(&[
        ERROR,
        MESSAGE,
        pass(1),
        STRING,
        list(&[
            STRING,
            STRING,
            // Version 0 tells whether a value is the default, later ones where it comes from.
            pass(3),
            list(&[STRING, STRING, pass(1)]).since(1),
            pass(1).since(3),
            STRING.since(3),
        ]),
    ]),
]);

pub(super) const ALTER_CONFIGS: Api = Api::new(33, "AlterConfigs", 2, 2).tells(&[pass(4), CONFIGURED]);

pub(super) const ALTER_REPLICA_LOG_DIRS: Api = Api::new(34, "AlterReplicaLogDirs", 2, 2)
    .asks(&[list(&[STRING, list(&[TOPIC, PARTITIONS])])])
    .tells(&[pass(4), list(&[STRING, list(&[pass(4), ERROR])])]);

pub(super) const DESCRIBE_LOG_DIRS: Api = Api::new(35, "DescribeLogDirs", 5, 2)
    .asks(&[list(&[TOPIC, PARTITIONS])])
    .tells(&[
        pass(4),
        ERROR.since(3),
        list(&[
            ERROR,
            STRING,
            list(&[STRING, list(&[pass(21)])]),
            pass(16).since(4),
            pass(1).since(5),
        ]),
    ]);

pub(super) const CREATE_PARTITIONS: Api = Api::new(37, "CreatePartitions", 3, 2)
    .asks(&[list(&[TOPIC, pass(4), list(&[NUMBERS_4])])])
    .tells(&[pass(4), list(&[STRING, ERROR, MESSAGE])]);

pub(super) const ELECT_LEADERS: Api = Api::new(43, "ElectLeaders", 2, 2)
    .asks(&[pass(1).since(1), list(&[TOPIC, PARTITIONS])])
    .tells(&[
        pass(4),
        ERROR.since(1),
        list(&[STRING, list(&[pass(4), ERROR, MESSAGE])]),
    ]);

pub(super) const INCREMENTAL_ALTER_CONFIGS: Api =
    Api::new(44, "IncrementalAlterConfigs", 1, 1).tells(&[pass(4), CONFIGURED]);

pub(super) const ALTER_PARTITION_REASSIGNMENTS: Api = Api::new(45, "AlterPartitionReassignments", 1, 0)
    .asks(&[
        pass(4),
        pass(1).since(1),
        list(&[TOPIC, list(&[PARTITION, NUMBERS_4])]),
    ])
    .tells(&[
        pass(4),
        pass(1).since(1),
        ERROR,
        MESSAGE,
        list(&[STRING, list(&[pass(4), ERROR, MESSAGE])]),
    ]);

pub(super) const LIST_PARTITION_REASSIGNMENTS: Api = Api::new(46, "ListPartitionReassignments", 0, 0)
    .asks(&[pass(4), list(&[TOPIC, PARTITIONS])])
    .tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const GET_TELEMETRY_SUBSCRIPTIONS: Api =
    Api::new(71, "GetTelemetrySubscriptions", 0, 0).tells(&[pass(4), ERROR]);

pub(super) const PUSH_TELEMETRY: Api = Api::new(72, "PushTelemetry", 0, 0).tells(&[pass(4), ERROR]);

pub(super) const LIST_CONFIG_RESOURCES: Api =
    Api::new(74, "ListConfigResources", 1, 0).tells(&[pass(4), ERROR]);
