//! Who may do what and how much of it: SASL, access lists, delegation tokens, quotas.

use crate::l7::kafka::layout::*;

pub(super) const SASL_HANDSHAKE: Api = Api::new(17, "SaslHandshake", 1, INFLEXIBLE)
    .asks(&[MECHANISM])
    .tells(&[ERROR]);

pub(super) const SASL_AUTHENTICATE: Api = Api::new(36, "SaslAuthenticate", 2, 2).tells(&[ERROR, MESSAGE]);

pub(super) const DESCRIBE_ACLS: Api = Api::new(29, "DescribeAcls", 3, 2).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const CREATE_ACLS: Api =
    Api::new(30, "CreateAcls", 3, 2).tells(&[pass(4), list(&[ERROR, MESSAGE])]);

pub(super) const DELETE_ACLS: Api = Api::new(31, "DeleteAcls", 3, 2).tells(&[
    pass(4),
    list(&[
        ERROR,
        MESSAGE,
        list(&[
            ERROR,
            MESSAGE,
            pass(1),
            STRING,
            pass(1).since(1),
            STRING,
            STRING,
            pass(2),
        ]),
    ]),
]);

pub(super) const CREATE_DELEGATION_TOKEN: Api = Api::new(38, "CreateDelegationToken", 3, 2).tells(&[ERROR]);

pub(super) const RENEW_DELEGATION_TOKEN: Api = Api::new(39, "RenewDelegationToken", 2, 2).tells(&[ERROR]);

pub(super) const EXPIRE_DELEGATION_TOKEN: Api = Api::new(40, "ExpireDelegationToken", 2, 2).tells(&[ERROR]);

pub(super) const DESCRIBE_DELEGATION_TOKEN: Api =
    Api::new(41, "DescribeDelegationToken", 3, 2).tells(&[ERROR]);

pub(super) const DESCRIBE_CLIENT_QUOTAS: Api =
    Api::new(48, "DescribeClientQuotas", 1, 1).tells(&[pass(4), ERROR, MESSAGE]);

pub(super) const ALTER_CLIENT_QUOTAS: Api = Api::new(49, "AlterClientQuotas", 1, 1)
    .tells(&[pass(4), list(&[ERROR, MESSAGE, list(&[STRING, STRING])])]);

pub(super) const DESCRIBE_USER_SCRAM_CREDENTIALS: Api = Api::new(50, "DescribeUserScramCredentials", 0, 0)
    .tells(&[
        pass(4),
        ERROR,
        MESSAGE,
        list(&[STRING, ERROR, MESSAGE, list(&[pass(5)])]),
    ]);

pub(super) const ALTER_USER_SCRAM_CREDENTIALS: Api =
    Api::new(51, "AlterUserScramCredentials", 0, 0).tells(&[pass(4), list(&[STRING, ERROR, MESSAGE])]);
