//! What brokers and controllers say to each other, and what administrators ask of a cluster.

use crate::l7::kafka::layout::*;

/// State of one partition in LeaderAndIsr.
const LEADER_AND_ISR_PARTITIONS: Field = list(&[
    TOPIC.until(1),
    PARTITION,
    pass(12),
    NUMBERS_4,
    pass(4),
    NUMBERS_4,
    NUMBERS_4.since(3),
    NUMBERS_4.since(3),
    pass(1).since(1),
    pass(1).since(6),
]);

pub(super) const LEADER_AND_ISR: Api = Api::new(4, "LeaderAndIsr", 7, 4)
    .asks(&[
        pass(4),
        pass(1).since(7),
        pass(4),
        pass(8).since(2),
        pass(1).since(5),
        LEADER_AND_ISR_PARTITIONS.until(1),
        list(&[TOPIC, pass(16).since(5), LEADER_AND_ISR_PARTITIONS]).since(2),
    ])
    .tells(&[
        ERROR,
        list(&[STRING, pass(4), ERROR]).until(4),
        list(&[pass(16), list(&[pass(4), ERROR])]).since(5),
    ]);

pub(super) const STOP_REPLICA: Api = Api::new(5, "StopReplica", 4, 2)
    .asks(&[
        pass(4),
        pass(1).since(4),
        pass(4),
        pass(8).since(1),
        pass(1).until(2),
        list(&[TOPIC, PARTITION]).until(0),
        list(&[TOPIC, PARTITIONS]).since(1).until(2),
        list(&[TOPIC, list(&[PARTITION, pass(5)])]).since(3),
    ])
    .tells(&[ERROR, list(&[STRING, pass(4), ERROR])]);

/// State of one partition in UpdateMetadata.
const UPDATE_METADATA_PARTITIONS: Field = list(&[
    TOPIC.until(4),
    PARTITION,
    pass(12),
    NUMBERS_4,
    pass(4),
    NUMBERS_4,
    NUMBERS_4.since(4),
]);

pub(super) const UPDATE_METADATA: Api = Api::new(6, "UpdateMetadata", 8, 6)
    .asks(&[
        pass(4),
        pass(1).since(8),
        pass(4),
        pass(8).since(5),
        UPDATE_METADATA_PARTITIONS.until(4),
        list(&[TOPIC, pass(16).since(7), UPDATE_METADATA_PARTITIONS]).since(5),
    ])
    .tells(&[ERROR]);

pub(super) const CONTROLLED_SHUTDOWN: Api = Api::new(7, "ControlledShutdown", 3, 3).tells(&[ERROR]);

pub(super) const VOTE: Api = Api::new(52, "Vote", 2, 0)
    .asks(&[
        STRING,
        pass(4).since(1),
        list(&[
            TOPIC,
            list(&[PARTITION, pass(20), pass(32).since(1), pass(1).since(2)]),
        ]),
    ])
    .tells(&[ERROR, list(&[STRING, list(&[pass(4), ERROR, pass(9)])])]);

pub(super) const BEGIN_QUORUM_EPOCH: Api = Api::new(53, "BeginQuorumEpoch", 1, 1)
    .asks(&[
        STRING,
        pass(4).since(1),
        list(&[TOPIC, list(&[PARTITION, pass(8), pass(16).since(1)])]),
    ])
    .tells(&[ERROR, list(&[STRING, list(&[pass(4), ERROR, pass(8)])])]);

pub(super) const END_QUORUM_EPOCH: Api = Api::new(54, "EndQuorumEpoch", 1, 1)
    .asks(&[
        STRING,
        list(&[
            TOPIC,
            list(&[PARTITION, pass(8), NUMBERS_4.until(0), list(&[pass(20)]).since(1)]),
        ]),
    ])
    .tells(&[ERROR, list(&[STRING, list(&[pass(4), ERROR, pass(8)])])]);

/// How far a voter or an observer is.
const REPLICAS: Field = list(&[pass(4), pass(16).since(2), pass(8), pass(16).since(1)]);

pub(super) const DESCRIBE_QUORUM: Api = Api::new(55, "DescribeQuorum", 2, 0)
    .asks(&[list(&[TOPIC, list(&[PARTITION])])])
    .tells(&[
        ERROR,
        MESSAGE.since(2),
        list(&[
            STRING,
            list(&[pass(4), ERROR, MESSAGE.since(2), pass(16), REPLICAS, REPLICAS]),
        ]),
    ]);

pub(super) const ALTER_PARTITION: Api = Api::new(56, "AlterPartition", 3, 0)
    .asks(&[
        pass(12),
        list(&[
            TOPIC.until(1),
            TOPIC_ID.since(2),
            list(&[
                PARTITION,
                pass(4),
                NUMBERS_4.until(2),
                list(&[pass(12)]).since(3),
                pass(1).since(1),
                pass(4),
            ]),
        ]),
    ])
    .tells(&[
        pass(4),
        ERROR,
        list(&[
            STRING.until(1),
            pass(16).since(2),
            list(&[pass(4), ERROR, pass(8), NUMBERS_4, pass(1).since(1), pass(4)]),
        ]),
    ]);

pub(super) const UPDATE_FEATURES: Api = Api::new(57, "UpdateFeatures", 2, 0).tells(&[
    pass(4),
    ERROR,
    MESSAGE,
    list(&[STRING, ERROR, MESSAGE]).until(1),
]);

// Carries a request of somebody else, which stays closed.
pub(super) const ENVELOPE: Api = Api::new(58, "Envelope", 0, 0).tells(&[BYTES, ERROR]);

pub(super) const FETCH_SNAPSHOT: Api = Api::new(59, "FetchSnapshot", 1, 0)
    .asks(&[
        pass(8),
        list(&[
            TOPIC,
            list(&[PARTITION, pass(4), group(&[OFFSET, pass(4)]), pass(8)]),
        ]),
    ])
    .tells(&[
        pass(4),
        ERROR,
        list(&[
            STRING,
            list(&[pass(4), ERROR, group(&[pass(12)]), pass(16), BYTES]),
        ]),
    ]);

pub(super) const DESCRIBE_CLUSTER: Api =
    Api::new(60, "DescribeCluster", 2, 0).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const BROKER_REGISTRATION: Api = Api::new(62, "BrokerRegistration", 4, 0).tells(&[pass(4), ERROR]);

pub(super) const BROKER_HEARTBEAT: Api = Api::new(63, "BrokerHeartbeat", 2, 0).tells(&[pass(4), ERROR]);

pub(super) const UNREGISTER_BROKER: Api =
    Api::new(64, "UnregisterBroker", 0, 0).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const CONTROLLER_REGISTRATION: Api =
    Api::new(70, "ControllerRegistration", 0, 0).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const ASSIGN_REPLICAS_TO_DIRS: Api = Api::new(73, "AssignReplicasToDirs", 0, 0)
    .asks(&[pass(12), list(&[pass(16), list(&[TOPIC_ID, list(&[PARTITION])])])])
    .tells(&[
        pass(4),
        ERROR,
        list(&[pass(16), list(&[pass(16), list(&[pass(4), ERROR])])]),
    ]);

pub(super) const ADD_RAFT_VOTER: Api = Api::new(80, "AddRaftVoter", 1, 0).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const REMOVE_RAFT_VOTER: Api =
    Api::new(81, "RemoveRaftVoter", 0, 0).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const UPDATE_RAFT_VOTER: Api = Api::new(82, "UpdateRaftVoter", 0, 0).tells(&[pass(4), ERROR]);
