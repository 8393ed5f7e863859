//! Transactions and idempotent producers.

use crate::l7::kafka::layout::*;

pub(super) const INIT_PRODUCER_ID: Api = Api::new(22, "InitProducerId", 6, 2)
    .asks(&[TRANSACTION])
    .tells(&[pass(4), ERROR]);

pub(super) const ADD_PARTITIONS_TO_TXN: Api = Api::new(24, "AddPartitionsToTxn", 5, 3)
    .asks(&[
        list(&[TRANSACTION, pass(11), list(&[TOPIC, PARTITIONS])]).since(4),
        TRANSACTION.until(3),
        pass(10).until(3),
        list(&[TOPIC, PARTITIONS]).until(3),
    ])
    .tells(&[
        pass(4),
        ERROR.since(4),
        list(&[STRING, list(&[STRING, list(&[pass(4), ERROR])])]).since(4),
        list(&[STRING, list(&[pass(4), ERROR])]).until(3),
    ]);

pub(super) const ADD_OFFSETS_TO_TXN: Api = Api::new(25, "AddOffsetsToTxn", 4, 3)
    .asks(&[TRANSACTION, pass(10), GROUP])
    .tells(&[pass(4), ERROR]);

pub(super) const END_TXN: Api = Api::new(26, "EndTxn", 5, 3)
    .asks(&[TRANSACTION])
    .tells(&[pass(4), ERROR]);

pub(super) const WRITE_TXN_MARKERS: Api = Api::new(27, "WriteTxnMarkers", 2, 1)
    .asks(&[list(&[
        pass(11),
        list(&[TOPIC, PARTITIONS]),
        pass(4),
        pass(1).since(2),
    ])])
    .tells(&[list(&[pass(8), list(&[STRING, list(&[pass(4), ERROR])])])]);

pub(super) const TXN_OFFSET_COMMIT: Api = Api::new(28, "TxnOffsetCommit", 5, 3)
    .asks(&[
        TRANSACTION,
        GROUP,
        pass(10),
        pass(4).since(3),
        STRING.since(3),
        STRING.since(3),
        list(&[TOPIC, list(&[PARTITION, OFFSET, pass(4).since(2), STRING])]),
    ])
    .tells(&[pass(4), list(&[STRING, list(&[pass(4), ERROR])])]);

pub(super) const DESCRIBE_PRODUCERS: Api = Api::new(61, "DescribeProducers", 0, 0)
    .asks(&[list(&[TOPIC, PARTITIONS])])
    .tells(&[
        pass(4),
        list(&[STRING, list(&[pass(4), ERROR, MESSAGE, list(&[pass(36)])])]),
    ]);

pub(super) const DESCRIBE_TRANSACTIONS: Api = Api::new(65, "DescribeTransactions", 0, 0)
    .asks(&[TRANSACTIONS])
    .tells(&[
        pass(4),
        list(&[ERROR, STRING, STRING, pass(22), list(&[STRING, NUMBERS_4])]),
    ]);

pub(super) const LIST_TRANSACTIONS: Api = Api::new(66, "ListTransactions", 2, 0).tells(&[pass(4), ERROR]);

pub(super) const ALLOCATE_PRODUCER_IDS: Api =
    Api::new(67, "AllocateProducerIds", 0, 0).tells(&[pass(4), ERROR]);
