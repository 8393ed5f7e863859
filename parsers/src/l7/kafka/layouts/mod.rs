//! The layouts of all messages, by subject. Source: Apache Kafka 4.1, protocol guide ("The Messages") and
//! message definitions (`clients/src/main/resources/common/message`); for versions that 4.0 dropped, those of
//! Apache Kafka 0.8 to 3.9.

mod admin;
mod cluster;
mod data;
mod groups;
mod security;
mod share;
mod transactions;

use super::layout::Api;

/// The table of APIs, each at the place of its key.
static APIS: &[Api] = &[
    data::PRODUCE,
    data::FETCH,
    data::LIST_OFFSETS,
    data::METADATA,
    cluster::LEADER_AND_ISR,
    cluster::STOP_REPLICA,
    cluster::UPDATE_METADATA,
    cluster::CONTROLLED_SHUTDOWN,
    groups::OFFSET_COMMIT,
    groups::OFFSET_FETCH,
    groups::FIND_COORDINATOR,
    groups::JOIN_GROUP,
    groups::HEARTBEAT,
    groups::LEAVE_GROUP,
    groups::SYNC_GROUP,
    groups::DESCRIBE_GROUPS,
    groups::LIST_GROUPS,
    security::SASL_HANDSHAKE,
    data::API_VERSIONS,
    admin::CREATE_TOPICS,
    admin::DELETE_TOPICS,
    admin::DELETE_RECORDS,
    transactions::INIT_PRODUCER_ID,
    data::OFFSET_FOR_LEADER_EPOCH,
    transactions::ADD_PARTITIONS_TO_TXN,
    transactions::ADD_OFFSETS_TO_TXN,
    transactions::END_TXN,
    transactions::WRITE_TXN_MARKERS,
    transactions::TXN_OFFSET_COMMIT,
    security::DESCRIBE_ACLS,
    security::CREATE_ACLS,
    security::DELETE_ACLS,
    admin::DESCRIBE_CONFIGS,
    admin::ALTER_CONFIGS,
    admin::ALTER_REPLICA_LOG_DIRS,
    admin::DESCRIBE_LOG_DIRS,
    security::SASL_AUTHENTICATE,
    admin::CREATE_PARTITIONS,
    security::CREATE_DELEGATION_TOKEN,
    security::RENEW_DELEGATION_TOKEN,
    security::EXPIRE_DELEGATION_TOKEN,
    security::DESCRIBE_DELEGATION_TOKEN,
    groups::DELETE_GROUPS,
    admin::ELECT_LEADERS,
    admin::INCREMENTAL_ALTER_CONFIGS,
    admin::ALTER_PARTITION_REASSIGNMENTS,
    admin::LIST_PARTITION_REASSIGNMENTS,
    groups::OFFSET_DELETE,
    security::DESCRIBE_CLIENT_QUOTAS,
    security::ALTER_CLIENT_QUOTAS,
    security::DESCRIBE_USER_SCRAM_CREDENTIALS,
    security::ALTER_USER_SCRAM_CREDENTIALS,
    cluster::VOTE,
    cluster::BEGIN_QUORUM_EPOCH,
    cluster::END_QUORUM_EPOCH,
    cluster::DESCRIBE_QUORUM,
    cluster::ALTER_PARTITION,
    cluster::UPDATE_FEATURES,
    cluster::ENVELOPE,
    cluster::FETCH_SNAPSHOT,
    cluster::DESCRIBE_CLUSTER,
    transactions::DESCRIBE_PRODUCERS,
    cluster::BROKER_REGISTRATION,
    cluster::BROKER_HEARTBEAT,
    cluster::UNREGISTER_BROKER,
    transactions::DESCRIBE_TRANSACTIONS,
    transactions::LIST_TRANSACTIONS,
    transactions::ALLOCATE_PRODUCER_IDS,
    groups::CONSUMER_GROUP_HEARTBEAT,
    groups::CONSUMER_GROUP_DESCRIBE,
    cluster::CONTROLLER_REGISTRATION,
    admin::GET_TELEMETRY_SUBSCRIPTIONS,
    admin::PUSH_TELEMETRY,
    cluster::ASSIGN_REPLICAS_TO_DIRS,
    admin::LIST_CONFIG_RESOURCES,
    data::DESCRIBE_TOPIC_PARTITIONS,
    share::SHARE_GROUP_HEARTBEAT,
    share::SHARE_GROUP_DESCRIBE,
    share::SHARE_FETCH,
    share::SHARE_ACKNOWLEDGE,
    cluster::ADD_RAFT_VOTER,
    cluster::REMOVE_RAFT_VOTER,
    cluster::UPDATE_RAFT_VOTER,
    share::INITIALIZE_SHARE_GROUP_STATE,
    share::READ_SHARE_GROUP_STATE,
    share::WRITE_SHARE_GROUP_STATE,
    share::DELETE_SHARE_GROUP_STATE,
    share::READ_SHARE_GROUP_STATE_SUMMARY,
    groups::STREAMS_GROUP_HEARTBEAT,
    groups::STREAMS_GROUP_DESCRIBE,
    share::DESCRIBE_SHARE_GROUP_OFFSETS,
    share::ALTER_SHARE_GROUP_OFFSETS,
    share::DELETE_SHARE_GROUP_OFFSETS,
];

/// The API of `key`, if it is known.
pub(super) fn api(key: u16) -> Option<&'static Api> {
    APIS.get(usize::from(key))
}

/// All that are known.
pub(super) fn all() -> impl Iterator<Item = &'static Api> {
    APIS.iter()
}
